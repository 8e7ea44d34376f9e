import Crypto
import Foundation
import Jobs

/// Standard Webhooks' symmetric signature, version 1.
public enum WebhookSignature {
    /// The value of `webhook-signature`: HMAC-SHA256 over `id.timestamp.body`, in base64.
    ///
    /// - Parameter timestamp: in Unix seconds.
    public static func sign(id: String, timestamp: Int64, body: [UInt8], secret: WebhookSecret) -> String {
        var code = HMAC<SHA256>(key: SymmetricKey(data: secret.key))
        code.update(data: Array("\(id).\(timestamp).".utf8))
        code.update(data: body)
        return "v1," + Data(code.finalize()).base64EncodedString()
    }
}
