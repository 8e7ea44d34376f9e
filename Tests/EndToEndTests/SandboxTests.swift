import Foundation
import Testing

/// A system that refuses a part of what restricts decoders, as old kernels and some containers do.
@Suite("Where the kernel refuses a restriction", .serialized)
struct SandboxTests {
    /// Becomes the program that its arguments name, under a filter that refuses further filters. A `seccomp` profile of
    /// a container does the same.
    private static let refuseFilters = """
        import ctypes, os, sys
        library = ctypes.CDLL("libseccomp.so.2")
        library.seccomp_init.restype = ctypes.c_void_p
        context = ctypes.c_void_p(library.seccomp_init(0x7FFF0000))
        number = library.seccomp_syscall_resolve_name(b"seccomp")
        assert library.seccomp_rule_add(context, ctypes.c_uint32(0x00050001), number, 0) == 0
        assert library.seccomp_load(context) == 0
        os.execv(sys.argv[1], sys.argv[1:])
        """

    private func check(_ server: Server) throws -> [String: Any] {
        let ready = try server.get("/readyz")
        #expect(ready.status == 200)
        let checks = try #require(try ready.json()["checks"] as? [[String: Any]])
        return try #require(checks.first { $0["name"] as? String == "sandbox" })
    }

    @Test("the server says so at its start and when it is asked, and works")
    func refused() throws {
        let server = try Server("--workers", "1", launcher: ["/usr/bin/python3", "-c", Self.refuseFilters])
        let check = try check(server)
        #expect(check["ok"] as? Bool == false)
        #expect((check["detail"] as? String)?.contains("system call filter") == true)
        #expect(server.log.text.contains("system call filter"))
        let video = try Material.syntheticVideo(frames: 5)
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        let tracked = try Executable.run(
            "/usr/bin/python3",
            ["-c", Self.refuseFilters, Executable.lktrack, "track", video.path, "--roi", video.boxes[0]])
        #expect(tracked.status == 0)
    }

    @Test("here nothing is refused, and nothing is said")
    func complete() throws {
        let server = try Server("--workers", "1")
        #expect(try check(server)["ok"] as? Bool == true)
        #expect(!server.log.text.contains("restrict"))
    }
}
