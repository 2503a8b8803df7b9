/// An error as a client of S3 sees it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
package struct S3Error: Error, Sendable, Equatable {
    package var code: Code
    /// What was wrong and what to do, for a person; it carries no secret and no path of the server.
    package var message: String
    /// Further elements of the answer, in order, such as `BucketName`.
    package var details: [Detail]
    /// Further header fields of the answer, such as `x-amz-delete-marker`.
    package var headers: [Detail]

    package struct Detail: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            (self.name, self.value) = (name, value)
        }
    }

    package init(_ code: Code, _ message: String? = nil, details: [Detail] = [], headers: [Detail] = []) {
        self.code = code
        self.message = message ?? code.message
        (self.details, self.headers) = (details, headers)
    }

    /// A code, its status and what it usually says.
    package struct Code: Sendable, Hashable {
        package var name: String
        package var status: Int
        package var message: String

        package init(_ name: String, _ status: Int, _ message: String) {
            (self.name, self.status, self.message) = (name, status, message)
        }
    }
}
