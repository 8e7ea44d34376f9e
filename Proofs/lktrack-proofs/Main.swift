import Foundation

/// `./run proofs`: what docs/threat_model.md promises, tried on the real binary.
@main
enum Main {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == ClaimingProof.claimer { try ClaimingProof.claim(Array(arguments.dropFirst())) }
        if arguments.first == ClusterProof.inside { try ClusterProof.runInside(Array(arguments.dropFirst())) }
        let options = ProofOptions(arguments)
        var table = ProofTable()
        for proof in options.proofs { table.add(proof.name, proof.attempt(options)) }
        table.finish(options)
    }
}

/// What is to be proven, and how thoroughly.
struct ProofOptions {
    /// Fewer rounds of what would take longer than two minutes.
    var isQuick = false
    var minutes = 30.0
    private(set) var proofs: [any Proof] = []
    /// Whether it is every proof but ``LoadProof``.
    private(set) var isPlain = false

    init(_ arguments: [String]) {
        var rest = arguments[...]
        var names: [String] = []
        var isLoad = false
        while let argument = rest.popFirst() {
            switch argument {
            case "--quick": isQuick = true
            case "--load": isLoad = true
            case "--cluster": names.append(ClusterProof().name)
            case "--minutes":
                guard let value = rest.popFirst().flatMap(Double.init), value > 0 else {
                    Self.refuse("--minutes needs a number")
                }
                minutes = value
            case "-h", "--help":
                print(Self.usage)
                exit(0)
            default:
                guard Self.all.contains(where: { $0.name == argument }) else {
                    Self.refuse("there is no proof '\(argument)'")
                }
                names.append(argument)
            }
        }
        if isLoad { proofs.append(LoadProof()) }
        if !names.isEmpty || !isLoad {
            proofs += Self.all.filter { names.isEmpty ? !isQuick || $0.isQuick : names.contains($0.name) }
        }
        isPlain = names.isEmpty && !isLoad && !isQuick
    }

    func rounds(_ full: Int, quick: Int) -> Int { isQuick ? quick : full }

    private static let all: [any Proof] = [
        MalformedProof(), OversizeProof(), SlowClientsProof(), AddressLimitProof(), ConnectionFloodProof(),
        MemoryProof(), TenantsProof(),
        NoisyTenantProof(), StreamShareProof(), WebhooksProof(), ArchivesProof(), HostileMediaProof(), BombsProof(),
        DecodersProof(), PoisonProof(), KillServerProof(), KillWorkerProof(), StoppedWorkerProof(), ClaimingProof(),
        StoppingProof(), SecondSignalProof(), DiskFullProof(), BackupProof(), ClusterProof(),
        ParsersProof(), SanitizerProof.races, SanitizerProof.memoryErrors,
    ]

    private static var usage: String {
        let names = all.map { "  \($0.name.padding(toLength: 16, withPad: " ", startingAt: 0))\($0.claim)" }
        return """
            usage: ./run proofs [--quick] [PROOF...]
                   ./run proofs --load [--minutes N]
                   ./run proofs --cluster [--quick]

            Prints what was tried, how often, and what was lost. The exit status is 0 where all was proven, 1 where
            anything was lost, and 77 where nothing was, but this machine cannot run some of it ("not provable here");
            with --quick, which is part of ./run test, that is 0, too.

            --quick does with fewer rounds what takes longer than two minutes. --load is N minutes (30) of mixed work.
            --cluster is the proof `cluster` alone, which needs root. `parsers`, `races` and `memory errors` build the
            sources for sanitizers, which takes longer than all others together. The binary is the `lktrack` beside this
            program, or the one that LKTRACK_BINARY names.

            \(names.joined(separator: "\n"))
            """
    }

    private static func refuse(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("\(reason)\n\n\(usage)\n".utf8))
        exit(64)
    }
}
