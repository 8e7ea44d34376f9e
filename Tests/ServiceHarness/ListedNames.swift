import Jobs
import Synchronization
import Webhooks

/// Answers names from a list, each look-up with the next entry, and counts them.
package final class ListedNames: NameResolver {
    private let answers: Mutex<[[String]]>
    private let count = Mutex(0)

    package init(_ answers: [String]...) { self.answers = Mutex(answers) }

    package var lookups: Int { count.withLock { $0 } }

    package func addresses(of host: String) throws(NameResolverError) -> [IPAddress] {
        count.withLock { $0 += 1 }
        let next = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? [] }
        guard !next.isEmpty else { throw NameResolverError("the name \(host) cannot be resolved: not found") }
        return next.compactMap { IPAddress($0) }
    }
}
