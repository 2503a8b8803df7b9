package import Primitives

/// What reads of an object need.
package enum ObjectReadAccess {
    /// The action, or its form for one version (`s3:GetObjectVersion`; GHSA-3ppv).
    package static func accesses(
        _ action: String, bucket: String, key: ObjectKey, version: VersionID?
    ) -> [RequiredAccess] {
        guard let version else {
            return [RequiredAccess(action, bucket: bucket, key: key, wantsObjectTags: true)]
        }
        return [
            RequiredAccess(
                versioned(action), bucket: bucket, key: key, context: ["s3:versionid": [version.description]],
                wantsObjectTags: true)
        ]
    }

    /// `s3:GetObjectTagging` becomes `s3:GetObjectVersionTagging`, `s3:GetObject` becomes `s3:GetObjectVersion`.
    private static func versioned(_ action: String) -> String {
        guard let word = action.range(of: "Object") else { return action }
        return action[..<word.upperBound] + "Version" + action[word.upperBound...]
    }
}

extension String {
    fileprivate func range(of word: String) -> Range<String.Index>? {
        let (text, wanted) = (utf8, Array(word.utf8))
        var start = text.startIndex
        while let end = text.index(start, offsetBy: wanted.count, limitedBy: text.endIndex) {
            if text[start..<end].elementsEqual(wanted) { return start..<end }
            start = text.index(after: start)
        }
        return nil
    }
}

/// What writes of an object need.
package enum ObjectWriteAccess {
    /// Storing an object, and setting its tags where it comes with some.
    ///
    /// With a condition on its tag also reading the one that is there, since the outcome tells what its tag is.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    ///
    /// - Parameters:
    ///   - creates: whether an object comes of it at once, or an upload is begun.
    ///   - headers: the header fields that the operation looks at.
    package static func accesses(
        bucket: String, key: ObjectKey, attributes: ObjectAttributes = ObjectAttributes(), source: CopySource? = nil,
        preconditions: Preconditions = Preconditions(), creates: Bool = true, headers: HeaderUse
    ) -> [RequiredAccess] {
        var context = tagContext(attributes.tags)
        context[creationKey] = [String(creates)]
        context.merge(preconditions.policyContext) { first, _ in first }
        if let source { context["s3:x-amz-copy-source"] = ["\(source.bucket)/\(source.key)"] }
        var accesses = [
            RequiredAccess("s3:PutObject", bucket: bucket, key: key, context: context, headers: headers)
        ]
        if !attributes.tags.isEmpty {
            accesses.append(RequiredAccess("s3:PutObjectTagging", bucket: bucket, key: key, context: context))
        }
        if preconditions.namesTags {
            accesses += ObjectReadAccess.accesses("s3:GetObject", bucket: bucket, key: key, version: nil)
        }
        return accesses
    }

    /// By which a policy that demands conditional writes spares what cannot be conditional: the steps of an upload but
    /// its completion.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html>
    private static let creationKey = "s3:objectcreationoperation"

    /// Sending a part.
    package static func part(bucket: String, key: ObjectKey, source: CopySource? = nil) -> RequiredAccess {
        var context = [creationKey: ["false"]]
        if let source { context["s3:x-amz-copy-source"] = ["\(source.bucket)/\(source.key)"] }
        return RequiredAccess("s3:PutObject", bucket: bucket, key: key, context: context, headers: .part)
    }

    /// Replacing the tags of an object.
    package static func tagging(
        bucket: String, key: ObjectKey, version: VersionID?, tags: [Tag]
    ) -> [RequiredAccess] {
        ObjectReadAccess.accesses("s3:PutObjectTagging", bucket: bucket, key: key, version: version).map {
            var access = $0
            access.context.merge(tagContext(tags)) { first, _ in first }
            return access
        }
    }

    private static func tagContext(_ tags: [Tag]) -> [String: [String]] {
        guard !tags.isEmpty else { return [:] }
        var context = ["s3:requestobjecttagkeys": tags.map(\.key)]
        // Condition keys have no case, and tags have: of two that differ in it alone, both values count.
        for tag in tags { context["s3:requestobjecttag/" + tag.key.lowercased(), default: []].append(tag.value) }
        return context
    }
}

/// The condition keys of listings.
package enum ListingContext {
    package static func conditions(prefix: [UInt8], delimiter: [UInt8], limit: Int) -> [String: [String]] {
        [
            "s3:prefix": [String(decoding: prefix, as: UTF8.self)],
            "s3:delimiter": [String(decoding: delimiter, as: UTF8.self)],
            "s3:max-keys": [String(limit)],
        ]
    }
}
