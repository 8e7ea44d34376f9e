import ArgumentParser
import Foundation
import Glibc
import Jobs
import Media
import Tracking
import Workers

/// Sparse optical flow between two pictures.
struct FlowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flow",
        abstract: "Follows points from one image to another.",
        discussion: """
            Prints a line a point: x y, x' y' in the second image, dx dy, the forward-backward error (how far from its \
            start the way back ends) and the state: tracked, lost or out_of_frame. All in pixels from the top-left \
            corner; what is not known is -.

              lktrack flow a.png b.png --points 82.5,60 140,71
              lktrack flow a.png b.png --grid 20 --roi 70,51,107,87 --json

            Pyramidal Lucas-Kanade: windows of --window pixels on --levels levels.
            """
    )

    @Argument(help: "The image in which the points are.")
    var first: String

    @Argument(help: "The image in which they are looked for.")
    var second: String

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Points in the first image.", valueName: "x,y"))
    var points: [PointArgument] = []

    @Option(help: ArgumentHelp("Follow N × N points, spread evenly over --roi.", valueName: "N"))
    var grid: Int?

    @Option(help: "Where the grid is: x,y,width,height. (default: the whole image)")
    var roi: BoxArgument?

    @Option(help: "Pyramid levels, 1 to 6: each doubles the distance that can be followed.")
    var levels = 3

    @Option(help: "Side of the window around a point, 3 to 127 pixels.")
    var window = 21

    @Option(help: "Iterations on each level, 1 to 200.")
    var maxIterations = 30

    @Option(help: "A level ends when a step is shorter than this, in pixels.")
    var epsilon = 0.01

    @Flag(help: "Print a JSON document.")
    var json = false

    func validate() throws {
        guard points.isEmpty != (grid == nil) else {
            throw ValidationError("say what to follow: either --points x,y … or --grid N")
        }
        if roi != nil, grid == nil { throw ValidationError("--roi is where the --grid is; there is none") }
        if let grid, !(1...64).contains(grid) { throw ValidationError("--grid \(grid): must be from 1 to 64") }
    }

    func run() throws {
        let options = trackerOptions
        do {
            try options.validate()
        } catch {
            throw CommandFailure(.usage, error.message)
        }
        let flow = try ImagePair(first, second).withSource { try follow($0, options) }
        let text = json ? Self.document(flow) : Self.table(flow)
        guard Console.write(text, to: STDOUT_FILENO) else {
            throw CommandFailure(
                .cannotCreate, "standard output: cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    private var trackerOptions: TrackerOptions {
        var options = TrackerOptions(
            mode: .points, levels: levels, maxIterations: maxIterations, epsilon: epsilon, illumination: .none)
        options.points.window = window
        if let grid { options.points.gridSide = grid }
        return options
    }

    // MARK: Following

    /// The points in the first image, and in the second.
    private typealias Flow = [(start: PointRecord, end: PointRecord)]

    private func follow(_ source: DecoderProcess, _ options: TrackerOptions) throws -> Flow {
        let whole = PixelBox(x: 0, y: 0, width: Double(source.info.width), height: Double(source.info.height))
        let target =
            points.isEmpty
            ? TargetRequest(id: "flow", box: Box(roi?.box ?? whole))
            : TargetRequest(id: "flow", points: points.map { Point(x: $0.point.x, y: $0.point.y) })
        do {
            var session = try TrackingSession(targets: [target], options: options)
            var estimates: [[PointRecord]] = []
            while let frame = try source.next() {
                let found = try session.process(gray: frame.gray, color: nil, frame: frame.index)
                estimates.append(found.first??.points?.map(PointRecord.init) ?? [])
            }
            return estimates.count == 2 ? Array(zip(estimates[0], estimates[1])).map { (start: $0, end: $1) } : []
        } catch let error as TrackingError {
            throw CommandFailure(.usage, "\(points.isEmpty ? "--roi" : "--points"): \(error.message)")
        }
    }

    // MARK: Writing

    private static func table(_ flow: Flow) -> String {
        flow.map { start, end in
            let isTracked = end.state == .tracked
            let numbers: [Double?] = [
                start.position.x, start.position.y, isTracked ? end.position.x : nil, isTracked ? end.position.y : nil,
                isTracked ? end.dx : nil, isTracked ? end.dy : nil, end.forwardBackward,
            ]
            return (numbers.map(text) + [end.state.rawValue]).joined(separator: " ") + "\n"
        }.joined()
    }

    /// To three decimals; what rounds to nothing has no sign.
    private static func text(_ number: Double?) -> String {
        number.map { String(format: "%.3f", ($0 * 1000).rounded() / 1000 + 0) } ?? "-"
    }

    /// The members of a point are those of a result's.
    private static func document(_ flow: Flow) -> String {
        var bytes = Array("{\"points\":[".utf8)
        for (index, point) in flow.enumerated() {
            bytes += Array("\(index > 0 ? "," : "")\n{\"from\":[".utf8)
            let start = point.start.position
            bytes += Array("\(text(start.x)),\(text(start.y))],\"to\":".utf8)
            point.end.append(to: &bytes)
            bytes += Array("}".utf8)
        }
        return String(decoding: bytes, as: UTF8.self) + "\n]}\n"
    }
}

/// Two image files as the two frames of a source: the decoder takes a folder, so they are put into one.
private struct ImagePair {
    private let paths: [String]

    init(_ first: String, _ second: String) { paths = [first, second] }

    func withSource<R>(_ body: (DecoderProcess) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lktrack-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        } catch {
            throw CommandFailure(.cannotCreate, "\(folder.path): cannot be made: \(error.localizedDescription)")
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        for (index, path) in paths.enumerated() {
            try copy(path, to: folder.appendingPathComponent(Self.name(index)))
        }
        do {
            let source = try DecoderProcess.open(
                .folder(path: folder.path), request: DecodeRequest(), command: CommandMedia.decoder)
            return try body(source)
        } catch let error as MediaError {
            throw failure(of: error)
        }
    }

    private func copy(_ path: String, to copy: URL) throws(CommandFailure) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CommandFailure(.noInput, "\(path): there is no such file")
        }
        guard !isFolder.boolValue else { throw CommandFailure(.dataError, "\(path): is a folder, not an image") }
        do {
            // What a link points to, not the link.
            try FileManager.default.copyItem(at: URL(fileURLWithPath: path).resolvingSymlinksInPath(), to: copy)
        } catch {
            throw CommandFailure(.noInput, "\(path): cannot be read: \(error.localizedDescription)")
        }
    }

    private static func name(_ index: Int) -> String { "\(index + 1).png" }

    /// Names the image, where it is one, by its own name and not by that of its copy.
    private func failure(of error: MediaError) -> CommandFailure {
        let failure = CommandMedia.failure(of: error)
        guard let index = error.frame, paths.indices.contains(index) else {
            return CommandFailure(failure.status, "\(paths.joined(separator: ", ")): \(failure.message)")
        }
        let label = "frame \(index) (\(Self.name(index)))"
        let message = failure.message.replacing("\(label): ", with: "").replacing("\(label) ", with: "")
        return CommandFailure(failure.status, "\(paths[index]): \(message)")
    }
}
