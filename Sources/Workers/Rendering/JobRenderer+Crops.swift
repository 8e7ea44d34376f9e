import Jobs
import LucasKanade
import Media

extension JobRenderer {
    /// A target whose crops are wanted.
    public struct CropOrder: Hashable, Sendable {
        /// Counts from 0 in the spec.
        public var target: Int
        /// Of the blob that they become.
        public var key: String

        public init(target: Int, key: String) {
            self.target = target
            self.key = key
        }
    }

    /// Makes a video for each of some targets in one pass over the source: every tracked frame brought back to the
    /// target's first box by the inverse of its warp, and black where the target is not seen or not there yet, so that
    /// frame `n` of the video belongs to line `n` of the result. MP4, in colour. At an error nothing stays behind; one is
    /// that the videos take more space than they may.
    ///
    /// - Parameter willDraw: called before each frame; may throw to end it all.
    /// - Returns: the orders that were filled. A target that was there in no frame has no crops.
    @discardableResult
    public func crops(
        of performance: Performance, _ orders: [CropOrder], willDraw: () throws(MediaError) -> Void = {}
    ) throws -> [CropOrder] {
        let targets = performance.job.spec.targets
        let sizes = try cropSizes(performance.resultKey, of: orders.map { targets[$0.target].id })
        let filled = orders.filter { sizes[targets[$0.target].id] != nil }
        guard !filled.isEmpty else { return [] }
        let source = try open(performance)
        defer { source.close() }
        let frameRate = source.info.frameRate / Double(performance.job.spec.frameStep)
        var films: [CropFilm] = []
        do {
            for order in filled {
                let id = targets[order.target].id
                guard let size = sizes[id] else { continue }
                films.append(try CropFilm(id, size, frameRate: frameRate, writer: try blobs.create(order.key)))
            }
            var records = try RecordReader(blobs, key: performance.resultKey)
            var meter = StorageMeter(blobs, storage)
            while let frame = try source.next() {
                try willDraw()
                let record = records.record(frame: frame.index)
                for film in films { try film.append(frame, record?.targets.first { $0.id == film.target }) }
                let sizes = films.map(\.bytesWritten)
                try meter.check(sizes.reduce(0, +), spare: sizes.max() ?? 0)
            }
            for film in films { try film.finish() }
            try meter.check(films.reduce(0) { $0 + $1.bytesWritten })
            for film in films { _ = try film.writer.commit() }
            return filled
        } catch {
            for film in films { film.abort() }
            throw error
        }
    }

    /// By the targets' ids, from the box that each had first.
    private func cropSizes(_ resultKey: String, of ids: [String]) throws -> [String: CropSize] {
        var sizes: [String: CropSize] = [:]
        var records = try RecordReader(blobs, key: resultKey)
        while sizes.count < ids.count, let record = records.next() {
            for target in record.targets where sizes[target.id] == nil && ids.contains(target.id) {
                sizes[target.id] = CropSize(target.box)
            }
        }
        return sizes
    }
}

/// One target's crops on their way into a blob. Used by one thread.
private final class CropFilm {
    let target: String
    let writer: any BlobWriter
    private let size: CropSize
    private let encoder: VideoEncoder
    private let black: Image

    init(_ target: String, _ size: CropSize, frameRate: Double, writer: any BlobWriter) throws {
        self.target = target
        self.size = size
        self.writer = writer
        black = Cropper.black(width: size.width, height: size.height)
        encoder = try VideoEncoder(
            path: try writer.localPath(), container: .mp4, width: size.width, height: size.height,
            frameRate: frameRate)
    }

    func append(_ frame: Frame, _ target: TargetRecord?) throws(MediaError) {
        try encoder.append(try picture(of: target, in: frame), time: frame.time)
    }

    var bytesWritten: Int64 { encoder.bytesWritten }

    func finish() throws(MediaError) { try encoder.finish() }

    func abort() {
        encoder.abort()
        writer.abort()
    }

    /// The warped corners hold the warp, also after a keyframe, which starts a new one from another box.
    private func picture(of target: TargetRecord?, in frame: Frame) throws(MediaError) -> Image {
        guard let target, target.isSeen, target.quad.count == 8, target.quad.allSatisfy(\.isFinite) else {
            return black
        }
        let quad = stride(from: 0, to: 8, by: 2).map { SIMD2(target.quad[$0], target.quad[$0 + 1]) }
        return try Cropper.crop(frame.color ?? frame.gray, quad, width: size.width, height: size.height)
    }
}
