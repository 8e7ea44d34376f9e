import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let keyChecks: [JobStoreCheck] = [
        JobStoreCheck("keys read back as they were added, oldest first") { fixture in
            let (keys, clock) = try keyStore(fixture)
            let first = key("k2", clock, rate: RequestRate(perSecond: 2.5, burst: 7))
            try keys.addKey(first)
            clock.advance(1)
            let second = key("k1", clock)
            try keys.addKey(second)
            #expect(try keys.keys() == [first, second])
        },
        JobStoreCheck("an id and a digest are taken once") { fixture in
            let (keys, clock) = try keyStore(fixture)
            try keys.addKey(key("k1", clock, digest: 1))
            for taken in [key("k1", clock, digest: 2), key("k2", clock, digest: 1)] {
                let error = try #require(throws: JobsError.self) { try keys.addKey(taken) }
                #expect(error.code == .conflict)
            }
            #expect(try keys.keys().count == 1)
        },
        JobStoreCheck("a revoked key says since when, and revoking it again changes nothing") { fixture in
            let (keys, clock) = try keyStore(fixture)
            try keys.addKey(key("k1", clock))
            let time = clock.now()
            #expect(try keys.revokeKey("k1")?.revokedAt == time)
            clock.advance(5)
            #expect(try keys.revokeKey("k1")?.revokedAt == time)
            #expect(try keys.keys().map(\.revokedAt) == [time])
            #expect(try keys.revokeKey("k9") == nil)
        },
        JobStoreCheck("the revision grows when a key is added or revoked, in another process too, and by no use") {
            fixture in
            let (keys, clock) = try keyStore(fixture)
            let (other, _) = try keyStore(fixture)
            let before = try keys.keysRevision()
            try other.addKey(key("k1", clock))
            let added = try keys.keysRevision()
            #expect(added > before)
            try other.noteUse(["k1": clock.now()])
            #expect(try keys.keysRevision() == added)
            _ = try other.revokeKey("k1")
            let revoked = try keys.keysRevision()
            #expect(revoked > added)
            _ = try other.revokeKey("k1")
            #expect(try keys.keysRevision() == revoked)
        },
        JobStoreCheck("the last use is kept, and an earlier one changes nothing") { fixture in
            let (keys, clock) = try keyStore(fixture)
            try keys.addKey(key("k1", clock))
            let used = clock.now().addingTimeInterval(60)
            try keys.noteUse(["k1": used, "k9": used])
            try keys.noteUse(["k1": clock.now()])
            #expect(try keys.keys().map(\.lastUsedAt) == [used])
        },
    ]

    private static func keyStore(_ fixture: any JobStoreFixture) throws -> (any KeyStore, ManualEnvironment) {
        let bench = try Bench(fixture)
        return (try #require(bench.store as? any KeyStore), bench.clock)
    }

    private static func key(
        _ id: String, _ clock: ManualEnvironment, digest: UInt8? = nil, rate: RequestRate? = nil
    ) -> APIKey {
        APIKey(
            id: id, tenant: TenantID("a"), name: "of \(id), \"quoted\"",
            digest: Array(repeating: digest ?? id.utf8.last ?? 0, count: 32), rate: rate, createdAt: clock.now())
    }
}
