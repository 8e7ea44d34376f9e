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

    /// - Parameter answer: may block. Not called where too many wait: that is 503.
    func disposition(
        of context: RequestContext, route: String, _ answer: @escaping @Sendable () -> HTTPResponse
    ) -> HTTPDisposition {
        guard blobs.isRemote else { return .work(answer) }
        return .later { [self] responder in
            @Sendable func refuse(_ problem: Problem) {
                responder.respond(Router.response(to: problem, context.request, route: route))
            }
            // Only now: a body that nobody wants may have been long in coming.
            guard let place = places.place(for: context.tenant) else {
                let reason = "Too many requests wait for the bucket. Try again."
                return refuse(Problem(.unavailable, reason).retryAfter(1))
            }
            pool.submit(context.tenant) {
                defer { withExtendedLifetime(place) {} }
                // Who asked and has left keeps nobody waiting; what is to be changed is changed all the same.
                if context.request.method == "GET", context.request.hasClientLeft() {
                    return refuse(Problem(.unavailable, "The client left."))
                }
                responder.respond(answer())
            }
        }
    }
}
