import ArgumentParser
import Glibc

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

    func run() throws { Console.write("lktrack \(Version.text)\n", to: STDOUT_FILENO) }
}
