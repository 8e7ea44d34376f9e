import Jobs
import Testing

@Suite("A spec's webhook")
struct WebhookTests {
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private func read(_ webhook: String) throws -> JobSpec {
        let text = #"{"targets": [{"box": [1, 2, 4, 4]}], "webhook": \#(webhook)}"#
        return try SpecReader.read(try JSONValue(parsing: text.utf8))
    }

    private func pointers(_ webhook: String) -> [String] {
        do {
            _ = try read(webhook)
            return []
        } catch {
            return (error as? SpecErrors)?.problems.map(\.pointer) ?? ["\(error)"]
        }
    }

    @Test("tells of every end, unless it names some")
    func events() throws {
        #expect(try read(#"{"url": "https://a.example"}"#).webhook?.events == WebhookSpec.Event.allCases)
        let some = try read(#"{"url": "https://a.example", "events": ["job.canceled", "job.failed"]}"#)
        #expect(some.webhook?.events == [.failed, .canceled])
        #expect(try read("null").webhook == nil)
    }

    @Test(
        "with an event that is not known or there twice, or with none, is refused, naming the place",
        arguments: [
            (#"["job.started"]"#, ["#/webhook/events/0"]),
            (#"["job.failed", 7, "job.failed"]"#, ["#/webhook/events/1", "#/webhook/events/2"]),
            ("[]", ["#/webhook/events"]), (#""job.failed""#, ["#/webhook/events"]),
        ])
    func wrongEvents(_ events: String, _ expected: [String]) {
        #expect(pointers(#"{"url": "https://a.example", "events": \#(events)}"#) == expected)
    }

    @Test("keeps its secret for the store, and shows it to nobody")
    func secret() throws {
        let spec = try read(#"{"url": "https://a.example", "secret": "\#(Self.secret)"}"#)
        #expect(spec.webhook?.secret?.key.count == 24)
        #expect(try SpecReader.read(SpecWriter.storedJSON(spec)) == spec)
        let shown = try SpecReader.read(SpecWriter.json(spec))
        #expect(shown.webhook?.secret == nil && shown.webhook?.url == spec.webhook?.url)
        var dumped = ""
        dump(spec, to: &dumped)
        for text in ["\(spec)", String(reflecting: spec), dumped] { #expect(!text.contains("MfKQ")) }
    }

    @Test(
        "with a secret that is none is refused",
        arguments: [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", "whsec_äöü",
            "whsec_" + String(repeating: "AAAA", count: 22),
        ])
    func wrongSecret(_ secret: String) {
        #expect(pointers(#"{"url": "https://a.example", "secret": "\#(secret)"}"#) == ["#/webhook/secret"])
    }

    @Test("goes to a URL whose host and port are found in it")
    func urls() throws {
        for (text, host, port, isSecure) in [
            ("https://Hooks.Example/a?b=c%20d", "hooks.example", 443, true),
            ("HTTPS://a.example", "a.example", 443, true),
            ("http://a.example:8080?x", "a.example", 8080, false), ("https://8.8.8.8/", "8.8.8.8", 443, true),
            ("https://[2606:4700::1111]:8443/x", "2606:4700::1111", 8443, true),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, true),
            ("https://localhost", "localhost", 443, true),
        ] {
            let url = try WebhookURL(text)
            #expect(url.text == text && url.host == host && Int(url.port) == port && url.isSecure == isSecure)
            #expect((url.address != nil) == (text.contains("8.8") || text.contains("[")))
        }
    }

    @Test(
        "with a URL that cannot be, or that readers of URLs disagree about, is refused",
        arguments: [
            "", "hook", "/hook", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example", "https:/a.example",
            "https://", "https:///x", "https://?x", "https://user@a.example/", "https://user:secret@a.example/",
            "https://a.example@127.0.0.1/", "https://a.example#x", "https://a.example/ x", "https://a.example\\@b/",
            "https://a.example/\u{7F}", "https://bücher.example", "https://a.example:0/", "https://a.example:65536/",
            "https://a.example:/", "https://a.example:80:80/", "https://a.example:x/", "https://a..example/",
            "https://a.example./", "https://-%41.example/", "https://127.1/", "https://2130706433/",
            "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://256.1.1.1/",
            "https://1.2.3.4.5/", "https://[::1/", "https://[::1]x/", "https://[fe80::1%25eth0]/", "https://[1.2.3.4]/",
            "https://a.example/\r\nX: y", "https://" + String(repeating: "a", count: 64) + ".example/",
            "https://a.example/" + String(repeating: "a", count: 2048),
        ])
    func wrongURLs(_ text: String) throws {
        let error = try #require(throws: WebhookURL.Invalid.self) { try WebhookURL(text) }
        #expect(!error.detail.isEmpty)
    }

    @Test("is held to what the service allows")
    func policy() throws {
        func problems(_ webhook: String, _ policy: WebhookPolicy) throws -> [String] {
            policy.problems(with: try read(webhook)).map(\.pointer)
        }
        let plain = #"{"url": "http://127.0.0.1:9/x"}"#
        #expect(try problems(plain, WebhookPolicy()) == ["#/webhook/url", "#/webhook/url", "#/webhook/secret"])
        let open = WebhookPolicy(allowsHTTP: true, addresses: AddressPolicy(allowsPrivate: true), hasSecret: true)
        #expect(try problems(plain, open).isEmpty)
        let named = #"{"url": "https://a.example", "secret": "\#(Self.secret)"}"#
        #expect(try problems(named, WebhookPolicy()).isEmpty)
        #expect(try problems("null", WebhookPolicy()).isEmpty)
    }

    @Test("may be a plain URL in a form")
    func form() throws {
        for value in ["https://a.example", #"{"url": "https://a.example"}"#] {
            let json = try SpecForm.json(fields: [("roi", "1,2,30,40"), ("webhook", value)], base: nil)
            #expect(try SpecReader.read(json).webhook?.url.text == "https://a.example")
        }
    }
}

@Suite("Where webhooks may go")
struct AddressPolicyTests {
    /// At the edges of what is refused, by what it is.
    static let refused: [(address: String, name: String)] = [
        ("0.0.0.0", "unspecified"), ("0.255.255.255", "unspecified"), ("10.0.0.0", "private"),
        ("10.255.255.255", "private"), ("100.64.0.0", "carrier-grade NAT"), ("100.127.255.255", "carrier-grade NAT"),
        ("100.100.100.200", "cloud metadata"), ("127.0.0.1", "loopback"), ("127.255.255.255", "loopback"),
        ("168.63.129.16", "cloud metadata"), ("169.254.0.1", "link-local"), ("169.254.169.254", "link-local"),
        ("172.16.0.0", "private"), ("172.31.255.255", "private"), ("192.0.0.192", "reserved"),
        ("192.0.2.1", "documentation"), ("192.88.99.1", "6to4 relay"), ("192.168.0.1", "private"),
        ("198.18.0.0", "benchmarking"), ("198.19.255.255", "benchmarking"), ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"), ("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"), ("255.255.255.255", "broadcast"), ("::", "unspecified"), ("::1", "loopback"),
        ("::ffff:127.0.0.1", "IPv4-mapped"), ("::ffff:8.8.8.8", "IPv4-mapped"), ("::127.0.0.1", "IPv4-compatible"),
        ("::ffff:0:8.8.8.8", "IPv4-translated"), ("64:ff9b::10.0.0.1", "IPv4-translated"),
        ("64:ff9b:1::1", "IPv4-translated"), ("100::1", "discard"), ("2001::1", "Teredo"),
        ("2001:2::1", "benchmarking"),
        ("2001:1ff::1", "reserved"), ("2001:db8::1", "documentation"), ("2002:7f00:1::1", "6to4"),
        ("3fff::1", "documentation"), ("fc00::1", "unique local"), ("fdff::1", "unique local"),
        ("fd00:ec2::254", "cloud metadata"), ("fe80::1", "link-local"), ("febf::1", "link-local"),
        ("fec0::1", "site-local"), ("ff02::1", "multicast"), ("4000::1", "reserved"), ("5f00::1", "reserved"),
    ]

    @Test("every class of address that is not the public Internet's is refused by its name", arguments: refused)
    func refusals(_ text: String, _ name: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy().refusal(of: address) == name)
    }

    @Test(
        "public addresses, right beside what is refused too, are not",
        arguments: [
            "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
            "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255",
            "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "8.8.8.8", "2001:200::1",
            "2001:4860:4860::8888", "2606:4700::1111", "2003::1", "3ffe::1",
        ])
    func allowed(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy().refusal(of: address) == nil)
    }

    @Test("an operator's own networks can be allowed; metadata and what is no host's address cannot")
    func allowPrivate() throws {
        let policy = AddressPolicy(allowsPrivate: true)
        let allowed = try Self.refused.filter { policy.refusal(of: try #require(IPAddress($0.address))) == nil }
        #expect(Set(allowed.map(\.name)) == ["private", "loopback", "carrier-grade NAT", "unique local"])
        #expect(policy.refusal(of: try #require(IPAddress("169.254.169.254"))) != nil)
    }
}
