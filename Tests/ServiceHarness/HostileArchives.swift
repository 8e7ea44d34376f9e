/// Archives that want to write or read where they have no business.
package enum HostileArchives {
    /// - Parameter image: an entry that would be accepted.
    package static func all(_ image: TestArchive.Entry) -> [(name: String, bytes: [UInt8])] {
        func tar(_ entry: TestArchive.Entry) -> [UInt8] { TestArchive.tar([image, entry]) }
        return [
            ("symbolic link", tar(.init(name: "2.png", kind: "2", target: "/etc/passwd"))),
            ("hard link", tar(.init(name: "2.png", kind: "1", target: "img1.png"))),
            ("pipe", tar(.init(name: "2.png", kind: "6"))),
            ("device", tar(.init(name: "2.png", kind: "3"))),
            ("absolute name", tar(.init(name: "/tmp/2.png", bytes: image.bytes))),
            ("parent folder", tar(.init(name: "../2.png", bytes: image.bytes))),
            ("parent folder inside", tar(.init(name: "a/../../2.png", bytes: image.bytes))),
            ("parent folder of Windows", tar(.init(name: "..\\2.png", bytes: image.bytes))),
            ("drive", tar(.init(name: "C:\\2.png", bytes: image.bytes))),
            ("absolute name in zip", TestArchive.zip([image, .init(name: "/2.png", bytes: image.bytes)])),
            ("parent folder in zip", TestArchive.zip([image, .init(name: "../../2.png", bytes: image.bytes)])),
            ("link in zip", TestArchive.zip([image, .init(name: "2.png", bytes: Array("/etc".utf8), kind: "2")])),
            ("encrypted zip", TestArchive.zip([image], flags: 1)),
            ("cut tar", Array(TestArchive.tar([image, image]).prefix(1024 + image.bytes.count / 2))),
            ("cut zip", Array(TestArchive.zip([image, image]).dropLast(30))),
        ]
    }
}
