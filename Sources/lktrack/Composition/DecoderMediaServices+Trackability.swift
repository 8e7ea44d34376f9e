import Jobs
import Media
import Tracking
import TrackingAPI
import Workers

extension DecoderMediaServices {
    func trackability(
        of boxes: [PixelBox], on picture: StillPicture, isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> PictureTrackability {
        let (input, index): (MediaInput, Int) =
            switch picture {
            case .image(let path): (.image(path: path), 0)
            case .frame(let index, .video, let path): (.video(path: path), index)
            case .frame(let index, _, let path): (.archive(path: path), index)
            }
        return try decode(index, of: input, isWanted: isWanted) { frame, isColor in
            PictureTrackability(
                width: frame.gray.width, height: frame.gray.height,
                boxes: boxes.map { Self.judge($0, on: frame, isColor: isColor) })
        }
    }

    /// `nil` where the box lies outside the picture.
    private static func judge(_ box: PixelBox, on frame: Frame, isColor: Bool) -> BoxTrackability? {
        let found = try? Trackability(of: Box(box), gray: frame.gray, color: isColor ? frame.color : nil)
        return found.map { BoxTrackability(box: box, $0) }
    }
}

extension BoxTrackability {
    init(box: PixelBox, _ found: Trackability) {
        self.init(
            box: box, verdict: Verdict(found.verdict), findings: found.findings.map { Finding($0) },
            advice: found.advice,
            leastEigenvalue: found.minimumEigenvalue, greatestEigenvalue: found.maximumEigenvalue,
            contrast: found.contrast, texture: found.texture, noise: found.noise,
            leastError: found.minimumError.isFinite ? found.minimumError : nil, size: found.size,
            visible: found.visible, pixelSize: found.pixelSize, levels: found.levels)
    }
}

// Matched one by one, so that the compiler tells of one that a module gets and the other lacks.

extension BoxTrackability.Verdict {
    fileprivate init(_ verdict: Trackability.Verdict) {
        switch verdict {
        case .good: self = .good
        case .fair: self = .fair
        case .poor: self = .poor
        case .untrackable: self = .untrackable
        }
    }
}

extension BoxTrackability.Finding {
    fileprivate init(_ finding: Trackability.Finding) {
        switch finding {
        case .flat: self = .flat
        case .edge: self = .edge
        case .faint: self = .faint
        case .colorOnly: self = .colorOnly
        case .small: self = .small
        case .cutOff: self = .cutOff
        }
    }
}
