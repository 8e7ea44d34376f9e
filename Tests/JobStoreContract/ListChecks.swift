import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let listChecks: [JobStoreCheck] = [
        JobStoreCheck("pages come newest first, without gaps or repetitions") { fixture in
            let bench = try Bench(fixture)
            let submitted = try (0..<7).map { _ in try bench.submit().id }
            var seen: [JobID] = []
            var query = JobQuery(tenant: .anonymous, limit: 3)
            var sizes: [Int] = []
            while true {
                let page = try bench.store.jobs(query)
                seen += page.jobs.map(\.id)
                sizes.append(page.jobs.count)
                guard page.hasMore else { break }
                query.before = page.jobs.last?.id
            }
            #expect(seen == submitted.reversed())
            #expect(sizes == [3, 3, 1])
        },
        JobStoreCheck("a page of long specs is shorter, and the next goes on where it ends") { fixture in
            let bench = try Bench(fixture)
            let submitted = try (0..<12).map { _ in
                var job = bench.job()
                job.spec.stopFrame = nil
                job.spec.targets[0].keyframes = (1...SpecLimits.keyframes / 8).map {
                    TargetSpec.Keyframe(frame: 2 + $0, box: PixelBox(x: 100.5, y: 200.25, width: 30.125, height: 40.5))
                }
                try bench.store.submit(job)
                return job.id
            }
            let longest = JobQuery.pageBytes
            var query = JobQuery(tenant: .anonymous, limit: 200)
            var listed: [JobID] = []
            var pages = 0
            while true {
                let page = try bench.store.jobs(query)
                let specs = page.jobs.map { SpecWriter.storedJSON($0.spec).storedText.utf8.count }
                #expect(specs.dropLast().reduce(0, +) < longest, "\(specs)")
                #expect(!page.hasMore || specs.reduce(0, +) >= longest, "\(specs)")
                listed += page.jobs.map(\.id)
                pages += 1
                guard page.hasMore, let last = page.jobs.last else { break }
                query.before = last.id
            }
            #expect(listed == submitted.reversed())
            #expect(pages > 1)
        },
        JobStoreCheck("a full last page has nothing after it") { fixture in
            let bench = try Bench(fixture)
            for _ in 0..<3 { try bench.submit() }
            #expect(try bench.store.jobs(JobQuery(tenant: .anonymous, limit: 3)).hasMore == false)
        },
        JobStoreCheck("lists hold the tenant's own jobs only") { fixture in
            let bench = try Bench(fixture)
            try bench.submit(tenant: TenantID("a"), labels: ["camera": "7"])
            let own = try bench.submit(tenant: TenantID("b"), labels: ["camera": "7"])
            #expect(try bench.store.jobs(JobQuery(tenant: TenantID("b"))).jobs == [own])
            let query = JobQuery(tenant: TenantID("b"), labels: ["camera": "7"])
            #expect(try bench.store.jobs(query).jobs == [own])
        },
        JobStoreCheck("jobs that have all of several labels come newest first, a page after the other") { fixture in
            let bench = try Bench(fixture)
            var wanted: [JobID] = []
            for number in 0..<30 {
                let labels = [
                    "half": "\(number % 2)", "third": "\(number % 3)", "fifth": "\(number % 5)",
                ]
                let job = try bench.submit(labels: labels)
                if number % 2 == 1, number % 3 == 2 { wanted.insert(job.id, at: 0) }
            }
            try bench.submit(tenant: TenantID("a"), labels: ["half": "1", "third": "2"])
            var query = JobQuery(tenant: .anonymous, labels: ["half": "1", "third": "2"], limit: 2)
            var seen: [JobID] = []
            while true {
                let page = try bench.store.jobs(query)
                seen += page.jobs.map(\.id)
                guard page.hasMore else { break }
                query.before = page.jobs.last?.id
            }
            #expect(seen == wanted && seen.count == 5)
            query.before = nil
            query.labels["fifth"] = "1"
            #expect(try bench.store.jobs(query).jobs.map(\.id) == [wanted[3]])
            query.labels["fifth"] = "7"
            #expect(try bench.store.jobs(query).jobs.isEmpty)
        },
        JobStoreCheck("state and labels filter together") { fixture in
            let bench = try Bench(fixture)
            let wanted = try bench.submit(labels: ["camera": "7", "site": "a"])
            try bench.submit(labels: ["camera": "7", "site": "b"])
            try bench.submit(labels: ["camera": "8", "site": "a"])
            let labels = ["camera": "7", "site": "a"]
            func ids(_ query: JobQuery) throws -> [JobID] { try bench.store.jobs(query).jobs.map(\.id) }
            #expect(try ids(JobQuery(tenant: .anonymous, labels: labels)) == [wanted.id])
            #expect(try ids(JobQuery(tenant: .anonymous, status: .running, labels: labels)).isEmpty)
            #expect(try ids(JobQuery(tenant: .anonymous, status: .queued)).count == 3)
            _ = try bench.claim()
            #expect(try ids(JobQuery(tenant: .anonymous, status: .running, labels: labels)) == [wanted.id])
            #expect(try ids(JobQuery(tenant: .anonymous, status: .running)) == [wanted.id])
            #expect(try ids(JobQuery(tenant: .anonymous, labels: ["camera": "7"], before: wanted.id)).isEmpty)
        },
    ]
}
