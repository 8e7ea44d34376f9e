import Jobs
import LucasKanade
import Media
import Testing
import Tracking

@testable import Workers

extension WorkersTests {
    /// Two squares that move apart over a ground of their own brightness.
    @Suite("Colours", .timeLimit(.minutes(10)))
    struct ColorTests {
        private static let (width, height, side, frames) = (200, 120, 30, 20)
        let bench: Bench

        init() throws { bench = try Bench() }

        private static func boxes(_ frame: Int) -> [PixelBox] {
            [(90 - 2 * frame, 20), (110 + 2 * frame, 70)].map { x, y in
                PixelBox(x: Double(x), y: Double(y), width: Double(side), height: Double(side))
            }
        }

        private static func picture(_ frame: Int) -> Image {
            let boxes = boxes(frame)
            let pixels = (0..<width * height).flatMap { k -> [UInt8] in
                let (x, y) = (Double(k % width), Double(k / width))
                let isTarget = boxes.contains {
                    ($0.x..<$0.x + $0.width).contains(x) && ($0.y..<$0.y + $0.height).contains(y)
                }
                // 0.114 b + 0.587 g + 0.299 r is 120 in both.
                return isTarget ? [60, 94, 194] : [150, 131, 87]
            }
            return Image(width: width, height: height, channels: 3, pixels: pixels)
        }

        private func submit(_ mode: TrackerSpec.Mode) throws -> Job {
            try bench.submit(try Scene(), kind: .frames) { spec in
                spec.targets = Self.boxes(0).enumerated().map { TargetSpec(id: "target-\($0 + 1)", box: $1) }
                spec.tracker.mode = mode
            } write: { writer in
                let tar = TarWriter(writer)
                for frame in 0..<Self.frames {
                    try tar.begin(name: "\(frame).png")
                    try ImageCodec.png(Self.picture(frame)).withUnsafeBytes { try tar.write($0) }
                    try tar.end()
                }
                try tar.finish()
            }
        }

        @Test("what only its colour tells from the ground is followed, in one piece and in parts", arguments: [0, 1])
        func follows(partTargets: Int) async throws {
            let job = try submit(.robust)
            let pool = try bench.pool(partTargets: partTargets)
            try pool.start()
            _ = await bench.events.end(of: job.id)
            await bench.stop(pool)
            let records = try bench.records(try bench.current(job))
            #expect(records.count == Self.frames)
            for record in records {
                for (target, expected) in zip(record.targets, Self.boxes(record.frame)) {
                    let found = Box(target.box)
                    #expect(found.intersectionOverUnion(Box(expected)) > 0.8, "frame \(record.frame): \(found)")
                }
            }
        }

        @Test("frames are decoded in colour where the mode looks at colours or they are drawn on")
        func request() {
            for mode in TrackerSpec.Mode.allCases {
                let run = TrackingRun(JobSpec(targets: [], tracker: TrackerSpec(mode: mode)))
                #expect(run.decodeRequest().color == (mode == .robust))
                #expect(run.decodeRequest(forDrawing: true).color)
            }
        }
    }
}
