/// What a decoder process gives up before it looks at its input.
public struct DecoderRestrictions: OptionSet, Hashable, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// System calls: an allowlist (seccomp).
    public static let systemCalls = DecoderRestrictions(rawValue: 1 << 0)
    /// What it executes gains no privileges.
    public static let newPrivileges = DecoderRestrictions(rawValue: 1 << 1)
    /// Its address space has a limit.
    public static let memory = DecoderRestrictions(rawValue: 1 << 2)
    /// Its processor time has a limit.
    public static let processorTime = DecoderRestrictions(rawValue: 1 << 3)
    /// What it can write to a file has a limit, and is nothing but for what an archive unpacks to.
    public static let fileSize = DecoderRestrictions(rawValue: 1 << 4)
    /// A core file would hold somebody's video.
    public static let coreFiles = DecoderRestrictions(rawValue: 1 << 5)
    /// How many files it has open.
    public static let openFiles = DecoderRestrictions(rawValue: 1 << 6)
    /// It is killed when its server is gone.
    public static let orphanhood = DecoderRestrictions(rawValue: 1 << 7)

    public static let all = DecoderRestrictions(rawValue: (1 << 8) - 1)

    private static let texts: [(DecoderRestrictions, String)] = [
        (.systemCalls, "system call filter"), (.newPrivileges, "no new privileges"), (.memory, "memory limit"),
        (.processorTime, "processor time limit"), (.fileSize, "file size limit"), (.coreFiles, "no core files"),
        (.openFiles, "limit of open files"), (.orphanhood, "end with the server"),
    ]

    /// For people, in the order above.
    public var names: [String] { Self.texts.filter { contains($0.0) }.map(\.1) }
}
