import CMicroHTTPD

/// The functions that libmicrohttpd calls. They neither throw nor trap: they find the Swift object behind the pointer and
/// hand the call on. A connection is retained from its start to its end, an exchange from its request line to its
/// completion, and each is released by the one call that ends it.
enum DaemonCallbacks {
    private static func core(_ context: UnsafeMutableRawPointer) -> ServerCore {
        Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
    }

    static let connectionChanged: MHD_NotifyConnectionCallback = { context, connection, stored, what in
        guard let context, let connection, let stored else { return }
        if what == .CONNECTION_NOTIFY_STARTED {
            stored.pointee = Unmanaged.passRetained(core(context).opened(connection)).toOpaque()
        } else if let pointer = stored.pointee {
            stored.pointee = nil
            core(context).table.closed(Unmanaged<Connection>.fromOpaque(pointer).takeRetainedValue())
            core(context).dismiss()
        }
    }

    /// The request line is there: the last moment to see the target before libmicrohttpd takes it apart.
    static let targetReceived:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) -> UnsafeMutableRawPointer? = {
            context, target, connection in
            guard let context, let target, let connection, let pointer = lk_mhd_connection_context(connection) else {
                return nil
            }
            let exchange = Exchange(
                connection: Unmanaged<Connection>.fromOpaque(pointer).takeUnretainedValue(), core: core(context),
                target: String(cString: target), targetPointer: target)
            lk_mhd_hide_arguments(target)
            return Unmanaged.passRetained(exchange).toOpaque()
        }

    static let access: MHD_AccessHandlerCallback = { _, connection, _, method, version, body, bodySize, stored in
        guard let connection, let method, let version, let bodySize, let pointer = stored?.pointee else {
            return .NO
        }
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
        let bytes = UnsafeRawBufferPointer(start: body, count: body == nil ? 0 : bodySize.pointee)
        let step = exchange.proceed(
            head: {
                ReceivedHead(
                    connection, method: method, version: version, target: exchange.target,
                    targetPointer: exchange.targetPointer)
            }, body: bytes)
        guard case .taken(let count) = step else { return .NO }
        bodySize.pointee = bytes.count - count
        return .YES
    }

    static let requestCompleted: MHD_RequestCompletedCallback = { _, _, stored, how in
        guard let stored, let pointer = stored.pointee else { return }
        stored.pointee = nil
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
        exchange.completed(how == .REQUEST_TERMINATED_COMPLETED_OK)
    }

    static let logMessage: lk_mhd_log = { context, message in
        guard let context, let message else { return }
        let text = String(cString: message)
        core(context).log.debug("libmicrohttpd", metadata: ["text": "\(text)"])
    }
}
