import Foundation
import OpenCVPeer

/// `lktrack-decode-alone FILE`: decodes a video to grey with OpenCV and does nothing with it. A program of its own, so
/// that the time of a whole process is that of a decoder and not that of loading a benchmark's libraries.
@main
enum Main {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 1, let path = arguments.first else {
            FileHandle.standardError.write(Data("usage: lktrack-decode-alone FILE\n".utf8))
            exit(64)
        }
        exit(opencv_peer_decode(path) ? 0 : 65)
    }
}
