// swift-tools-version: 6.2
import PackageDescription

// The two numeric targets are built for AVX2 and FMA (x86-64-v3), which Swift's SIMD types need to become vector
// instructions. `lktrack` checks the processor at start and says so instead of dying of an illegal instruction.
#if arch(x86_64)
    let vectorFlags: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=x86-64-v3"])]
#else
    let vectorFlags: [SwiftSetting] = []
#endif

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "lktrack",
    products: [
        .library(name: "LucasKanade", targets: ["LucasKanade"]),
        .library(name: "Tracking", targets: ["Tracking"]),
        .executable(name: "lktrack", targets: ["lktrack"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.defaults, "YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The numeric core: standard library only.
        .target(name: "LucasKanade", swiftSettings: vectorFlags),
        .target(name: "Tracking", dependencies: ["LucasKanade"], swiftSettings: vectorFlags),

        // C and C++ behind C headers.
        .target(
            name: "CVBridge",
            cxxSettings: [.unsafeFlags(["-I/usr/include/opencv4", "-Wno-deprecated-anon-enum-enum-conversion"])],
            linkerSettings: ["opencv_core", "opencv_imgproc", "opencv_imgcodecs", "opencv_videoio"].map {
                .linkedLibrary($0)
            } + ["avformat", "avcodec", "avutil"].map { .linkedLibrary($0) }
        ),
        .target(name: "CSystem"),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),

        // Media: decoding in a process of its own, encoding.
        .target(name: "Media", dependencies: ["CArchive", "CSystem", "CVBridge", "LucasKanade"]),

        // The job's life.
        .target(name: "Jobs"),
        .target(
            name: "SQLiteJobStore",
            dependencies: ["Jobs", .product(name: "GRDB", package: "GRDB.swift")],
            resources: [.embedInCode("Migrations")]
        ),
        .target(name: "FileBlobStore", dependencies: ["CSystem", "Jobs", crypto]),
        .target(name: "Workers", dependencies: ["Jobs", "LucasKanade", "Media", "Tracking", logging]),

        // HTTP.
        .target(name: "HTTPServer", dependencies: ["CMicroHTTPD", "CSystem", logging]),
        .target(name: "TrackingAPI", dependencies: ["HTTPServer", "Jobs", logging]),

        .executableTarget(
            name: "lktrack",
            dependencies: [
                "CSystem", "FileBlobStore", "HTTPServer", "Jobs", "LucasKanade", "Media", "SQLiteJobStore", "Tracking",
                "TrackingAPI", "Workers", argumentParser, logging,
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
