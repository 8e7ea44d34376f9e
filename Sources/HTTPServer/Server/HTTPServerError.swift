/// Why the server cannot start.
public struct HTTPServerError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Code: Sendable, Hashable {
        private let name: String

        /// A configuration value is out of its range; the message names the key.
        public static let invalidConfiguration = Code(name: "invalidConfiguration")
        /// The address is not this machine's, the port is taken or reserved.
        public static let cannotListen = Code(name: "cannotListen")
        /// The operating system refuses threads or descriptors.
        public static let outOfResources = Code(name: "outOfResources")
        public static let alreadyRunning = Code(name: "alreadyRunning")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
