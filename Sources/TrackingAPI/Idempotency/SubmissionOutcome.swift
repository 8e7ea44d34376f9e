import Crypto
import Foundation
import HTTPServer
import Jobs

/// What became of a submission that was right.
enum SubmissionOutcome: Sendable {
    case accepted(Job)
    /// It was accepted before, under the same name: the document that was answered then, as text, and the id in it. Nothing
    /// was kept this time.
    case replayed([UInt8], id: String)
}

/// What a submission asks for, so that a retry can be told from another request with the same name.
struct PayloadFingerprint: Hashable, Sendable {
    /// SHA-256 in lower-case hexadecimal.
    let text: String

    /// - Parameters:
    ///   - form: how it came; the same content in another form is another request.
    ///   - spec: as accepted: the order and the spelling of fields make no difference, nor does a form's boundary.
    ///   - source: what tells the source from others.
    init(form: String, spec: JobSpec, source: JSONValue) {
        let payload = LongTexts.inTurn(spec.approximateTextBytes) {
            Data(([.string(form), SpecWriter.storedJSON(spec), source] as JSONValue).encoded())
        }
        text = Hexadecimal.text(SHA256.hash(data: payload))
    }
}

extension IdempotentAttempt {
    private static let spec = "spec"

    /// What is kept of a submission. The spec is left out of the answer: it may have megabytes, the attempt outlives its
    /// job, and who asks for the same again brings it along.
    init(_ key: IdempotencyKey, _ fingerprint: PayloadFingerprint, of job: Job) {
        self.init(
            key: key.text, fingerprint: fingerprint.text, answer: JobWriter.json(job, spec: .null).encoded())
    }

    /// What to answer to a retry.
    ///
    /// - Parameter spec: the retry's.
    /// - Throws: 422 where it asks for something else.
    func outcome(for fingerprint: PayloadFingerprint, _ spec: JobSpec) throws -> SubmissionOutcome {
        guard self.fingerprint == fingerprint.text else {
            throw Problem(
                .keyReused,
                "This Idempotency-Key was used for another request less than a day ago. Use a new one for a new job, "
                    + "and send the same spec and files to try again.")
        }
        var document = try JSONValue(parsing: answer, maximumBytes: .max).objectValue ?? JSONObject()
        let text = LongTexts.inTurn(spec.approximateTextBytes) {
            // Versions before kept the whole answer, for a day.
            if document[Self.spec] == .null { document[Self.spec] = SpecWriter.json(spec) }
            return JSONValue.object(document).encoded()
        }
        return .replayed(text, id: document["id"]?.stringValue ?? "")
    }
}
