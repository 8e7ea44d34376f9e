import ArgumentParser
import CLinux
import Foundation
import Glibc
import Media

/// The entry point. Not an `AsyncParsableCommand`: commands block on decoders and files, which must not happen on the
/// cooperative pool, so they run on the main thread.
@main
enum Main {
    static func main() {
        guard clinux_cpu_suits_build() else {
            Console.error(
                "this processor lacks AVX2, FMA or BMI2, which this build needs (x86-64-v3); "
                    + "build with LKTRACK_BASELINE=1 for it")
            exit(ExitStatus.unavailable.rawValue)
        }
        // As many threads as there are processors work at a time.
        clinux_limit_arenas(Int32(clamping: max(2, ProcessInfo.processInfo.activeProcessorCount)))
        // The decoder process for one job; its sockets are open already. Not a command for people.
        // (`_exit`: its parent waits for the end, and the destructors of two hundred libraries have nothing to do.)
        if CommandLine.arguments.dropFirst().first == DecoderMain.subcommand { _exit(DecoderMain.run()) }
        // A peer that hangs up is an error of one write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try LKTrack.parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            Console.error(failure.message)
            exit(failure.status.rawValue)
        } catch {
            LKTrack.exit(withError: error)
        }
    }
}

struct LKTrack: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lktrack",
        abstract: "Follows boxes through a video: over HTTP, or here on the command line.",
        discussion: """
            Track one target of a video and look at the result:

              lktrack track clip.mp4 --roi 70,51,107,87 --annotate out.mp4 --output boxes.csv --format csv

            Serve, submit, poll and fetch:

              lktrack serve --port 8080
              curl -F video=@clip.mp4 -F roi=70,51,107,87 localhost:8080/v1/jobs
              curl localhost:8080/v1/jobs/ID
              curl localhost:8080/v1/jobs/ID/results?format=csv

            Boxes are x,y,width,height in pixels from the top-left corner; frames count from 0.
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, TrackCommand.self, FlowCommand.self, EvalCommand.self, SynthCommand.self,
            KeysCommand.self, BackupCommand.self, RestoreCommand.self, MigrateCommand.self, OpenAPICommand.self,
            VersionCommand.self,
        ]
    )
}

/// Exit statuses (sysexits(3)).
enum ExitStatus: Int32, Sendable {
    case usage = 64
    /// Input that cannot be decoded.
    case dataError = 65
    /// Input that is not there.
    case noInput = 66
    case unavailable = 69
    /// A bug.
    case software = 70
    /// Output that cannot be written.
    case cannotCreate = 73
    /// Not done yet: the same again later.
    case again = 75
    case configuration = 78
}

/// Ends a command with a message for the person at the terminal.
struct CommandFailure: Error {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}
