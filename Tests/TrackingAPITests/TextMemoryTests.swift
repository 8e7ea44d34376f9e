import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Text of requests in memory")
struct TextMemoryTests {
    private static let video = Form().file("video", Sample.video())

    /// A body of which not all has come.
    private struct Held {
        let sink: any HTTPBodySink
        let answer: HTTPResponse?

        /// - Parameters:
        ///   - body: all of it.
        ///   - left: so many of its last bytes do not come.
        init(
            _ service: Service, _ body: [UInt8], type: String = Form.contentType, lacking left: Int = 10,
            fields: [(name: String, value: String)] = []
        ) throws {
            let request = Service.request(
                "POST", "/v1/jobs",
                HTTPFields([("Content-Type", type), ("Content-Length", "\(body.count)")] + fields))
            guard case .receive(let sink, _, _) = service.api.begin(request) else { throw NotTaken() }
            self.sink = sink
            answer = body.dropLast(left).withUnsafeBytes { sink.receive($0) }
        }
    }

    private struct NotTaken: Error {}

    private static func long(_ count: Int = APILimits.specBytes) -> String { String(repeating: " ", count: count) }

    @Test("one request's text fields are bounded together, and refused as soon as they are more")
    func oneRequest() throws {
        let service = try Service()
        var form = Form().field("targets", Self.long())
        // A video that would be refused for itself, if it came that far.
        for label in 0..<100 { form = form.field("label.\(label)", Self.long(APILimits.fieldBytes)) }
        let answer = service.post(form.file("video", []), pieces: [64_000])
        expectProblem(answer, 413, saying: "\(APILimits.textBytes) bytes")
        #expect(try service.isEmpty())
    }

    @Test("the names of fields count as their values do")
    func names() throws {
        let held = HeldText(TextMemory(limit: .max), tenant: .anonymous)
        _ = try TextPart(name: Self.long(APILimits.textBytes), of: held)
        let problem = #expect(throws: Problem.self) { _ = try TextPart(name: "a", of: held) }
        #expect(problem?.kind == .tooLarge)
    }

    @Test(
        "a field with one value that comes again is refused at once",
        arguments: [
            [("targets", "[]"), ("targets", "[]")], [("priority", "1"), ("priority", "2")],
            [("label.a", "1"), ("label.a", "2")], [("tracker", "{}"), ("tracker", "robust"), ("tracker", "template")],
            [("spec", "{}"), ("spec", "{}")],
        ])
    func repeated(fields: [(String, String)]) throws {
        let service = try Service()
        let form = fields.reduce(Form()) { $0.field($1.0, $1.1) }
        // The end is not there, so that whatever is said is said before it.
        let held = try Held(service, form.field("roi", "1,2,30,40").body, lacking: 30)
        expectProblem(
            Answer(try #require(held.answer)), 422, pointer: "#/\(try #require(fields.last).0)", saying: "twice")
    }

    @Test("a mode beside the rest of the tracker is no repetition, nor are several boxes")
    func notRepeated() throws {
        let service = try Service()
        let form = Self.video.field("roi", "1,2,30,40").field("roi", "5,6,30,40")
            .field("tracker", "template").field("tracker", #"{"levels": 2}"#)
        let answer = service.post(form)
        #expect(answer.status == 202, "\(answer.text)")
        #expect(answer.json?["spec"]?["tracker"]?["levels"]?.intValue == 2)
    }

    @Test("a spec that is no JSON is refused before the video comes")
    func noJSON() throws {
        let held = try Held(try Service(), Form().spec("{").file("video", Sample.video()).body, lacking: 1_000)
        expectProblem(Answer(try #require(held.answer)), 422, pointer: "#/spec", saying: "not JSON")
    }

    @Test(
        "all requests together hold no more text than there is room for, and ordinary ones come in all the same",
        arguments: [Form.contentType, "application/json"])
    func allRequests(type: String) throws {
        let service = try Service()
        let body =
            type == Form.contentType ? Form().field("targets", Self.long()).body : Array(Self.long().utf8)
        let each = APILimits.specBytes - APILimits.ordinaryTextBytes - 1_000
        let most = APILimits.allTextBytes / each
        var held: [Held] = []
        while held.count <= most {
            let next = try Held(service, body, type: type)
            guard next.answer == nil else {
                let answer = Answer(try #require(next.answer))
                expectProblem(answer, 503)
                #expect(answer.fields["Retry-After"] == "1")
                break
            }
            held.append(next)
        }
        #expect((most - 2...most).contains(held.count), "\(held.count) of \(most)")
        #expect(service.post(Self.video.field("roi", "1,2,30,40")).status == 202)
        // Those that end leave room.
        held.removeLast(2)
        #expect(try Held(service, body, type: type).answer == nil)
    }

    @Test("a tenant with a key holds half of it at most, so that another's long texts come in")
    func tenants() throws {
        let memory = TextMemory(limit: 100_000)
        let free = APILimits.ordinaryTextBytes
        let (a, b) = (HeldText(memory, tenant: TenantID("a")), HeldText(memory, tenant: TenantID("b")))
        try a.grow(by: free + 50_000)
        let problem = #expect(throws: Problem.self) { try a.grow(by: 1) }
        #expect(problem?.kind == .unavailable && problem?.fields["Retry-After"] == "1")
        try b.grow(by: free + 50_000)
        #expect(memory.count == 100_000)
        try HeldText(memory, tenant: TenantID("a")).grow(by: free)
        #expect(throws: Problem.self) { try HeldText(memory, tenant: TenantID("c")).grow(by: free + 1) }
    }

    @Test("what a request held is free again when it is gone")
    func freed() throws {
        let memory = TextMemory(limit: 100_000)
        do {
            let held = HeldText(memory, tenant: .anonymous)
            for _ in 0..<10 { try held.grow(by: 5_000) }
            #expect(memory.count == 50_000 - APILimits.ordinaryTextBytes)
        }
        #expect(memory.count == 0)
    }
}
