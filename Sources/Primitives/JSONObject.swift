/// The members of a JSON object, in order; no two names have the same bytes.
package struct JSONObject: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package let name: String
        package var value: JSON

        package static func == (left: Member, right: Member) -> Bool {
            left.name.utf8.elementsEqual(right.name.utf8) && left.value == right.value
        }

        package func hash(into hasher: inout Hasher) {
            for byte in name.utf8 { hasher.combine(byte) }
            hasher.combine(value)
        }
    }

    package private(set) var members: [Member] = []

    /// - Parameter capacity: how many members are expected.
    package init(capacity: Int = 0) {
        members.reserveCapacity(capacity)
    }

    /// An object of these members; of several with one name, the last counts, in the place of the first.
    package init(_ members: [(String, JSON)]) {
        for (name, value) in members { self[name] = value }
    }

    /// An object of members whose names are known to differ, as the parser has checked.
    init(distinct members: [Member]) {
        self.members = members
    }

    /// The value under a name. Setting replaces it in its place, appends it, or with nil removes it.
    package subscript(name: String) -> JSON? {
        get { place(of: name).map { members[$0].value } }
        set {
            let place = place(of: name)
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    private func place(of name: String) -> Int? {
        members.firstIndex { $0.name.utf8.count == name.utf8.count && $0.name.utf8.elementsEqual(name.utf8) }
    }
}
