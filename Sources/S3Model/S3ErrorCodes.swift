/// The codes that Tidegate answers with, in the order of their names.
extension S3Error.Code {
    package static let accessControlListNotSupported = Self(
        "AccessControlListNotSupported", 400, "The bucket does not allow ACLs")
    package static let accessDenied = Self("AccessDenied", 403, "Access Denied")
    package static let authorizationHeaderMalformed = Self(
        "AuthorizationHeaderMalformed", 400, "The authorization header that you provided is not valid.")
    package static let badDigest = Self(
        "BadDigest", 400, "The Content-MD5 or checksum value that you specified did not match what the server received."
    )
    package static let badRequest = Self("BadRequest", 400, "The request could not be understood.")
    package static let bucketAlreadyExists = Self(
        "BucketAlreadyExists", 409, "The requested bucket name is not available. Please select a different name.")
    package static let bucketAlreadyOwnedByYou = Self(
        "BucketAlreadyOwnedByYou", 409, "The bucket you tried to create already exists, and you own it.")
    package static let bucketNotEmpty = Self(
        "BucketNotEmpty", 409, "The bucket you tried to delete is not empty.")
    package static let conditionalRequestConflict = Self(
        "ConditionalRequestConflict", 409,
        "The conditional request cannot succeed due to a conflicting operation against this resource.")
    package static let entityTooLarge = Self(
        "EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed object size.")
    package static let entityTooSmall = Self(
        "EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed object size.")
    package static let illegalLocationConstraint = Self(
        "IllegalLocationConstraintException", 400, "The specified location constraint is not valid here.")
    package static let incompleteBody = Self(
        "IncompleteBody", 400, "You did not provide the number of bytes specified by the Content-Length HTTP header.")
    package static let incorrectNumberOfFiles = Self(
        "IncorrectNumberOfFilesInPostRequest", 400, "POST requires exactly one file upload per request.")
    package static let internalError = Self(
        "InternalError", 500, "We encountered an internal error. Please try again.")
    package static let invalidArgument = Self("InvalidArgument", 400, "Invalid Argument")
    package static let invalidBucketName = Self("InvalidBucketName", 400, "The specified bucket is not valid.")
    package static let invalidBucketOwnerAccountID = Self(
        "InvalidBucketOwnerAWSAccountID", 400,
        "The value of the expected bucket owner parameter must be an AWS account ID.")
    package static let invalidBucketState = Self(
        "InvalidBucketState", 409, "The request is not valid for the current state of the bucket.")
    package static let invalidDigest = Self("InvalidDigest", 400, "The Content-MD5 you specified was invalid.")
    package static let invalidEncryptionAlgorithm = Self(
        "InvalidEncryptionAlgorithmError", 400,
        "The encryption request that you specified is not valid. The valid value is AES256.")
    package static let invalidPart = Self(
        "InvalidPart", 400,
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
            + "specified entity tag may not match the part's entity tag."
    )
    package static let invalidPartOrder = Self(
        "InvalidPartOrder", 400,
        "The list of parts was not in ascending order. Parts must be ordered by part number.")
    package static let invalidPartNumber = Self(
        "InvalidPartNumber", 416, "The requested partnumber is not satisfiable")
    package static let invalidPolicyDocument = Self(
        "InvalidPolicyDocument", 400, "The content of the form does not meet the conditions specified in the policy.")
    package static let invalidRange = Self("InvalidRange", 416, "The requested range is not satisfiable")
    package static let invalidRedirectLocation = Self(
        "InvalidRedirectLocation", 400,
        "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
    package static let invalidRequest = Self("InvalidRequest", 400, "Invalid Request")
    package static let invalidStorageClass = Self(
        "InvalidStorageClass", 400, "The storage class you specified is not valid")
    package static let invalidTag = Self("InvalidTag", 400, "The tag provided was not a valid tag.")
    package static let invalidURI = Self("InvalidURI", 400, "Couldn't parse the specified URI.")
    package static let keyTooLong = Self("KeyTooLongError", 400, "Your key is too long")
    package static let malformedACL = Self(
        "MalformedACLError", 400,
        "The XML you provided was not well-formed or did not validate against our published schema")
    package static let malformedPolicy = Self("MalformedPolicy", 400, "The policy is not in the valid JSON format")
    package static let malformedPOSTRequest = Self(
        "MalformedPOSTRequest", 400, "The body of your POST request is not well-formed multipart/form-data.")
    package static let malformedXML = Self(
        "MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema"
    )
    package static let maxMessageLengthExceeded = Self(
        "MaxMessageLengthExceeded", 400, "Your request was too big.")
    package static let maxPostPreDataLengthExceeded = Self(
        "MaxPostPreDataLengthExceeded", 400, "Your POST request fields preceding the upload file were too large.")
    package static let metadataTooLarge = Self(
        "MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size")
    package static let methodNotAllowed = Self(
        "MethodNotAllowed", 405, "The specified method is not allowed against this resource.")
    package static let missingContentLength = Self(
        "MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
    package static let missingRequestBody = Self("MissingRequestBodyError", 400, "Request Body is empty")
    package static let noSuchBucket = Self("NoSuchBucket", 404, "The specified bucket does not exist")
    package static let noSuchBucketPolicy = Self("NoSuchBucketPolicy", 404, "The bucket policy does not exist")
    package static let noSuchKey = Self("NoSuchKey", 404, "The specified key does not exist.")
    package static let noSuchPublicAccessBlock = Self(
        "NoSuchPublicAccessBlockConfiguration", 404, "The public access block configuration was not found")
    package static let noSuchTagSet = Self("NoSuchTagSet", 404, "The TagSet does not exist")
    package static let noSuchUpload = Self(
        "NoSuchUpload", 404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
            + "or completed."
    )
    package static let noSuchVersion = Self("NoSuchVersion", 404, "The specified version does not exist.")
    package static let notImplemented = Self(
        "NotImplemented", 501, "A header or query you provided implies functionality that is not implemented")
    package static let notModified = Self("NotModified", 304, "Not Modified")
    package static let operationAborted = Self(
        "OperationAborted", 409,
        "A conflicting conditional operation is currently in progress against this resource. Please try again.")
    package static let preconditionFailed = Self(
        "PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold")
    package static let requestTimeout = Self(
        "RequestTimeout", 400,
        "Your socket connection to the server was not read from or written to within the timeout period.")
    package static let serviceUnavailable = Self(
        "ServiceUnavailable", 503, "Service is unable to handle request.")
    package static let signatureDoesNotMatch = Self(
        "SignatureDoesNotMatch", 403,
        "The request signature we calculated does not match the signature you provided. Check your key and "
            + "signing method."
    )
    package static let slowDown = Self("SlowDown", 503, "Please reduce your request rate.")
    package static let tooManyBuckets = Self(
        "TooManyBuckets", 400, "You have attempted to create more buckets than allowed")
    package static let contentSHA256Mismatch = Self(
        "XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed."
    )
}
