import Foundation
import Testing

@Suite("The example for systemd", .enabled(if: FileManager.default.isExecutableFile(atPath: Tools.systemdAnalyze)))
struct SystemdTests {
    private static let unit = Tools.example("systemd/lktrack.service")

    @Test("systemd accepts the unit and rates it as little exposed")
    func verify() throws {
        let folder = try TemporaryFolder()
        // The program need not be installed for the unit to be judged.
        let text = try String(contentsOfFile: Self.unit, encoding: .utf8)
        #expect(text.contains("ExecStart=/usr/local/bin/lktrack serve"))
        let own = text.replacingOccurrences(of: "/usr/local/bin/lktrack", with: Executable.lktrack)
        let path = try folder.write(Data(own.utf8), to: "lktrack.service")
        let verified = try Executable.run(Tools.systemdAnalyze, ["verify", "--man=no", path])
        #expect(verified.status == 0 && verified.standardError.isEmpty, "\(verified.standardError)")
        // Of 100: 96 is what a unit without any of this gets.
        let rated = try Executable.run(Tools.systemdAnalyze, ["security", "--offline=yes", "--threshold=20", path])
        #expect(rated.status == 0, "\(rated.text.suffix(200))")
    }

    @Test("a server and its decoders get by with the unit's system calls, and without memory to write and execute")
    func systemCalls() throws {
        let server = try Server(launcher: ["/usr/bin/python3", "-c", Self.confine, Self.unit])
        // What is not allowed is not there, so that this test can fail: the filter is in force.
        let status = try String(contentsOfFile: "/proc/\(server.processIdentifier)/status", encoding: .utf8)
        #expect(status.contains("Seccomp:\t2"))
        #expect(status.contains("NoNewPrivs:\t1"))
        let video = try Material.syntheticVideo(frames: 20, name: "clip.mp4")
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])", #"output={"video":"mp4"}"#])
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        for path in ["results", "video", "source", "frames/3"] {
            #expect(try server.get("/v1/jobs/\(id)/\(path)").status == 200, "\(path)")
        }
        let images = try Material.synthetic(frames: 3)
        let frames = try server.submit(["roi=\(images.box)"] + images.images.map { "frame=@\($0)" })
        #expect(try server.finish(frames)["status"] as? String == "succeeded")
        #expect(try server.get("/metrics").status == 200)
        #expect(try server.get("/v1/jobs/\(id)", "-X", "DELETE").status == 204)
        #expect(server.stop() == 0)
    }

    /// Becomes a program under the unit's `SystemCallFilter` and `MemoryDenyWriteExecute`: as under systemd, a call that
    /// is not allowed fails with EPERM.
    private static let confine = """
        import ctypes, re, subprocess, sys
        unit, command = sys.argv[1], sys.argv[2:]
        groups = {}
        text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], check=True, capture_output=True,
                              text=True).stdout
        for line in re.sub(r"\\x1b\\[[0-9;]*m", "", text).splitlines():
            word = line.strip()
            if not word or word.startswith("#"):
                continue
            if line.startswith("@"):
                group = groups.setdefault(word, [])
            else:
                group.append(word)
        def expand(word):
            return {call for inner in groups[word] for call in expand(inner)} if word.startswith("@") else {word}
        allowed = set()
        for line in open(unit):
            if line.startswith("SystemCallFilter="):
                words = line.split("=", 1)[1].split()
                denies = words[0].startswith("~")
                words[0] = words[0].lstrip("~")
                calls = set().union(*map(expand, words))
                allowed = allowed - calls if denies else allowed | calls
        seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        seccomp.seccomp_init.restype = ctypes.c_void_p
        assert "SystemCallErrorNumber=EPERM" in open(unit).read()
        EPERM, ALLOW = 0x00050001, 0x7fff0000
        filter = ctypes.c_void_p(seccomp.seccomp_init(EPERM))
        class Compare(ctypes.Structure):
            _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
        # Not both of PROT_WRITE and PROT_EXEC: MemoryDenyWriteExecute. (SCMP_CMP_MASKED_EQ is 7.)
        combinations = [0, 2, 4]
        for name in sorted(allowed):
            number = seccomp.seccomp_syscall_resolve_name(name.encode())
            if number < 0:
                continue
            if name in ("mmap", "mprotect", "pkey_mprotect"):
                for bits in combinations:
                    rule = (Compare * 1)(Compare(2, 7, 6, bits))
                    assert seccomp.seccomp_rule_add_array(filter, ALLOW, number, 1, rule) == 0, name
            else:
                assert seccomp.seccomp_rule_add_array(filter, ALLOW, number, 0, None) == 0, name
        assert len(allowed) > 100 and "ptrace" not in allowed and "execve" in allowed
        assert seccomp.seccomp_load(filter) == 0
        import os
        os.execv(command[0], command)
        """
}
