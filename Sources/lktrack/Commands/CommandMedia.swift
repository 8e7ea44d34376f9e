import Foundation
import Media

/// Media for commands: its errors as messages with the exit status that fits.
enum CommandMedia {
    static func mapping<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as MediaError {
            throw failure(of: error)
        }
    }

    /// - Parameter more: what the message ends with.
    static func failure(of error: MediaError, _ more: String = "") -> CommandFailure {
        CommandFailure(status(of: error.code), error.message + more)
    }

    /// Of files of the person at the terminal: where the system refuses to restrict it, it works all the same.
    static let decoder: DecoderCommand = {
        var command = DecoderCommand.current
        command.tolerated = .all
        return command
    }()

    static func open(_ input: MediaInput, _ request: DecodeRequest) throws -> DecoderProcess {
        do {
            return try DecoderProcess.open(input, request: request, command: decoder)
        } catch {
            throw CommandFailure(status(of: error.code), "\(path(of: input)): \(error.message)")
        }
    }

    private static func path(of input: MediaInput) -> String {
        switch input {
        case .video(let path), .archive(let path), .folder(let path), .image(let path): path
        }
    }

    static func next(_ source: DecoderProcess) throws -> Frame? {
        try mapping { try source.next() }
    }

    /// Says before anything is written that a file would be lost by that.
    static func requireOther(_ path: String, than input: String) throws(CommandFailure) {
        var (wanted, read) = (stat(), stat())
        guard stat(path, &wanted) == 0, stat(input, &read) == 0 else { return }
        guard wanted.st_dev != read.st_dev || wanted.st_ino != read.st_ino else {
            throw CommandFailure(.usage, "\(path): is the input, and would be overwritten: name another file")
        }
    }

    /// Says at once, not after the work, that a file cannot be written where it is wanted.
    static func requireWritable(_ path: String) throws(CommandFailure) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw CommandFailure(.cannotCreate, "\(path): the folder \(folder) is not there or cannot be written to")
        }
    }

    /// What to encode for a file name, `nil` where it names no video.
    static func container(ofOutput path: String) -> VideoContainer? {
        let name = path.lowercased()
        if name.hasSuffix(".mp4") { return .mp4 }
        if name.hasSuffix(".avi") { return .avi }
        return nil
    }

    private static func status(of code: MediaError.Code) -> ExitStatus {
        switch code {
        case .notFound: .noInput
        case .cannotWrite: .cannotCreate
        case .system, .decoderCrashed, .decoderTimeout: .software
        default: .dataError
        }
    }
}
