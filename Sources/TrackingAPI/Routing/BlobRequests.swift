import HTTPServer
import Jobs

/// Answers requests that look for blobs. Where those are on another machine, which may take its time or not answer at all,
/// that happens on threads of their own, tenants in turn: the server's handlers are for all other requests.
final class BlobRequests: Sendable {
    private let blobs: any BlobStore
    private let pool: TurnPool
    private let places: ConcurrencyLimit

    /// - Parameters:
    ///   - threads: requests that are answered at a time.
    ///   - requests: that are answered or wait for it.
    init(_ blobs: any BlobStore, threads: Int, requests: Int) {
        self.blobs = blobs
        pool = TurnPool(threads: threads)
        places = ConcurrencyLimit(requests)
    }

    /// - Parameter answer: may block.
    /// - Throws: 503 where too many wait.
    func disposition(
        of context: RequestContext, _ answer: @escaping @Sendable () -> HTTPResponse
    ) throws(Problem) -> HTTPDisposition {
        guard blobs.isRemote else { return .work(answer) }
        guard let place = places.place(for: context.tenant) else {
            throw Problem(.unavailable, "Too many requests wait for the bucket. Try again.").retryAfter(1)
        }
        return .later { [pool] responder in
            pool.submit(context.tenant) {
                // In its turn: who has left keeps nobody waiting.
                responder.respond(context.request.hasClientLeft() ? Self.left(context) : answer())
                withExtendedLifetime(place) {}
            }
        }
    }

    private static func left(_ context: RequestContext) -> HTTPResponse {
        Problem(.unavailable, "The client left.").response(requestID: context.request.id)
    }
}
