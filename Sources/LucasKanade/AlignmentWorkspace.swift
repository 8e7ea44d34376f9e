/// Memory that alignments use again and again, so that no iteration allocates. One for each thread (or tracker): it is
/// neither `Sendable` nor part of any result.
public final class AlignmentWorkspace {
    private var buffers: [UnsafeMutablePointer<Float>] = []
    private var capacity = 0
    private let purposes = 7
    /// Floats before and after each buffer, so that vectors may begin a sample early or late.
    private let margin = laneCount

    public init() {}

    deinit { release() }

    /// The grids of one alignment, each of `rows` rows of whole vectors.
    struct Grids {
        /// The warped image; its gradients (or their mean with the template's); weights; |residuals|.
        let image, gradientX, gradientY, weights, residuals: UnsafeMutablePointer<Float>
    }

    /// The grids for a template of `columns × rows` samples; valid until the next call with a larger one.
    func grids(columns: Int, rows: Int) -> Grids {
        reserve(columns: columns, rows: rows)
        return Grids(
            image: buffers[0], gradientX: buffers[1], gradientY: buffers[2], weights: buffers[3],
            residuals: buffers[4])
    }

    /// A grid with one sample more on each side.
    func apron(columns: Int, rows: Int) -> UnsafeMutablePointer<Float> {
        reserve(columns: columns, rows: rows)
        return buffers[5]
    }

    /// The pixels around a square window and one more vector in each row.
    func neighbourhood(columns: Int, rows: Int) -> UnsafeMutablePointer<Float> {
        // With an apron at most, which is what `reserve` counts on.
        reserve(columns: columns + laneCount, rows: rows)
        return buffers[6]
    }

    private func reserve(columns: Int, rows: Int) {
        let size = paddedToLanes(columns + 2) * (rows + 2)
        guard size > capacity else { return }
        release()
        buffers = (0..<purposes).map { _ in
            let memory = UnsafeMutablePointer<Float>.allocate(capacity: size + 2 * margin)
            memory.initialize(repeating: 0, count: size + 2 * margin)
            return memory + margin
        }
        capacity = size
    }

    private func release() {
        for buffer in buffers { (buffer - margin).deallocate() }
    }
}
