import Testing

@testable import S3BlobStore

@Suite("Answers in XML")
struct XMLTests {
    private func read(_ text: String) throws -> S3XML { try S3XMLReader.read(Array(text.utf8)) }

    @Test("elements, their text and what is escaped in it are read, whatever stands around them")
    func reads() throws {
        let list = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- a -->
            <List xmlns="http://s3.amazonaws.com/doc/2006-03-01/" other='>'>
              <Key>a&lt;b&gt;&amp;&quot;&apos;&#233;&#x20AC;ü</Key><Key><![CDATA[<&>]]></Key ><Empty/><Empty a="b" />
              <In><Key>deep</Key></In>
            </List>
            """)
        #expect(list.name == "List")
        #expect(list.all("Key").map(\.text) == ["a<b>&\"'é€ü", "<&>"])
        #expect(list.all("Empty").count == 2 && list["Empty"] == "")
        #expect(list.child("In")?["Key"] == "deep")
        #expect(list["None"] == nil)
    }

    @Test("what is escaped is read again as it was")
    func escapes() throws {
        let text = "<&>\"' ü + /"
        #expect(try read("<a>\(S3XMLReader.escape(text))</a>").text == text)
    }

    @Test(
        "what is not well formed, and what answers never have, is refused",
        arguments: [
            "<a>&#+65;</a>", "<a>&#x+41;</a>", "<é></é>",
            "", "text", "<a>", "<a></b>", "<a><b></a></b>", "<a>&none;</a>", "<a>&#xD800;</a>", "<a>&lt</a>",
            "<a b></a>",
            "<a b=c/>", "<a/><b/>", "<a/>b", "<a b=\"", "<", "<a", "</a>", "<!DOCTYPE a><a/>", "<a><!ENTITY b></a>",
            "<a><?b?></a>", "<a><![CDATA[", "<a><!--", String(repeating: "<a>", count: 100_000),
        ])
    func refused(_ text: String) {
        #expect(throws: S3XMLReader.Malformed.self) { try read(text) }
    }
}
