import Primitives

/// A value as it was written, and where.
struct RawValue {
    enum Content {
        case text(String)
        case list([String])
        case keys([KeyDeclaration])
    }

    var content: Content
    var origin: ConfigurationOrigin
}

/// An entry of `keys` as it was written; its secret may still lie in a file.
struct KeyDeclaration {
    var accessKey: String
    var secret: String?
    var secretFile: String?
    var user: String
    var account: String?
    var policies: [KeySpecification.Policy]
    var origin: ConfigurationOrigin
}
