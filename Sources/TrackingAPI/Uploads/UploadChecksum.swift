import Crypto
import Foundation
import HTTPServer

/// `Upload-Checksum`: what a request's bytes must come to.
package struct UploadChecksum: Sendable {
    enum Algorithm: String, CaseIterable, Sendable {
        case sha1, sha256

        fileprivate var byteCount: Int {
            switch self {
            case .sha1: Insecure.SHA1.byteCount
            case .sha256: SHA256.byteCount
            }
        }
    }

    private enum Hash: Sendable {
        case sha1(Insecure.SHA1)
        case sha256(SHA256)
    }

    let algorithm: Algorithm
    private let expected: [UInt8]
    private var hash: Hash

    /// - Returns: `nil` where the request has none.
    /// - Throws: 400 where the algorithm is not known or the value is none of its.
    package static func of(_ request: HTTPRequest) throws(Problem) -> UploadChecksum? {
        guard let text = try Tus.single("Upload-Checksum", request) else { return nil }
        return try UploadChecksum(text)
    }

    private init(_ text: String) throws(Problem) {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard let name = parts.first, let algorithm = Algorithm(rawValue: name) else {
            let known = Algorithm.allCases.map(\.rawValue).joined(separator: " or ")
            throw Problem(
                .malformed, "Upload-Checksum is \(known) and the digest in Base64, not \(ClientText.quoted(text)).")
        }
        guard parts.count == 2, let digest = Data(base64Encoded: parts[1]), digest.count == algorithm.byteCount else {
            throw Problem(
                .malformed, "Upload-Checksum: a \(name) is \(algorithm.byteCount) bytes in Base64, which this is not.")
        }
        self.algorithm = algorithm
        expected = Array(digest)
        hash =
            switch algorithm {
            case .sha1: .sha1(Insecure.SHA1())
            case .sha256: .sha256(SHA256())
            }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch hash {
        case .sha1(var function):
            function.update(bufferPointer: bytes)
            hash = .sha1(function)
        case .sha256(var function):
            function.update(bufferPointer: bytes)
            hash = .sha256(function)
        }
    }

    /// - Throws: 460 where the bytes come to something else.
    package func verify() throws(Problem) {
        let digest: [UInt8] =
            switch hash {
            case .sha1(let function): Array(function.finalize())
            case .sha256(let function): Array(function.finalize())
            }
        guard digest == expected else {
            let found = Data(digest).base64EncodedString()
            throw Problem(
                .checksumMismatch,
                "The bytes that came have the \(algorithm.rawValue) \(found), not the one announced. Send them again.")
        }
    }
}
