import Glibc
import Media

/// `decoder-probe ATTEMPT`: a real decoder process, restricted by the same code, that then does what a taken-over one
/// would, and says what came of it in place of frames. It is no part of the product.
@main
enum Main {
    static func main() {
        guard let attempt = CommandLine.arguments.dropFirst().first.flatMap(Attempt.init(rawValue:)) else { exit(64) }
        _exit(
            DecoderMain.run { () throws(MediaError) in
                throw MediaError(.system, attempt.make())
            })
    }
}
