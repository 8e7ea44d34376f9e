import CLinux
import Glibc

/// What a decoder process gives up before it touches its input. Every restriction of it belongs here.
enum DecoderSandbox {
    /// Throws where the system refuses a restriction: a decoder does not run without them.
    static func apply() throws(MediaError) {
        guard clinux_die_with_parent() == 0, clinux_set_no_new_privileges() == 0 else {
            throw MediaError.system("cannot restrict the decoder process")
        }
        // A core file would hold somebody's video.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
            throw MediaError.system("cannot restrict the decoder process")
        }
    }
}
