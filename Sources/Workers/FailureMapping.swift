import Jobs
import Media
import Tracking

extension JobFailure {
    /// What a client is told of an error. Faults of the service keep their details for the log.
    public init(_ error: any Error) {
        switch error {
        case let failure as JobFailure: self = failure
        case let error as MediaError: self.init(error)
        case let error as TrackingError: self.init(error)
        case let error as JobsError where error.code == .storageFull: self = .storageFull
        default: self = .internalError
        }
    }

    static let internalError = JobFailure(
        code: .internalError, message: "the service failed to run this job; submitting it again may help")

    static let storageFull = JobFailure(
        code: .storageFull, message: "the service has no space left to store results; submit the job again later")

    static let deadlineExceeded = JobFailure(
        code: .deadlineExceeded,
        message: "deadline_seconds passed since the job was submitted; the frames that were done are kept")

    private init(_ error: MediaError) {
        switch error.code {
        case .undecodable, .noFrames, .sizeChanged:
            self.init(code: .undecodable, message: error.message, frame: error.frame)
        case .limitExceeded: self.init(code: .limitExceeded, message: error.message, frame: error.frame)
        case .storageFull: self = .storageFull
        case .decoderCrashed: self.init(code: .decoderCrashed, message: error.message, frame: error.frame)
        case .decoderTimeout: self.init(code: .decoderTimeout, message: error.message, frame: error.frame)
        default: self = .internalError
        }
    }

    private init(_ error: TrackingError) {
        switch error.code {
        case .invalidFrame: self.init(code: .undecodable, message: error.message, frame: error.frame)
        default:
            self.init(code: .invalidSpec, message: error.message, frame: error.frame, pointer: Self.pointer(error))
        }
    }

    private static func pointer(_ error: TrackingError) -> String? {
        if let option = error.option { return "#/tracker/\(snakeCase(option))" }
        guard let target = error.target else { return nil }
        if error.code == .invalidPoint || error.code == .pointOutsideFrame {
            return "#/targets/\(target)/points" + (error.point.map { "/\($0)" } ?? "")
        }
        let isFrame = error.code == .invalidKeyframe || error.code == .invalidStartFrame
        guard let keyframe = error.keyframe else {
            return "#/targets/\(target)/\(isFrame ? "start_frame" : "box")"
        }
        return "#/targets/\(target)/keyframes/\(keyframe)/\(isFrame ? "frame" : "box")"
    }

    /// `maxIterations` is `max_iterations` in a spec.
    private static func snakeCase(_ name: String) -> String {
        name.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
    }
}
