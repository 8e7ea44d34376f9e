import ArgumentParser
import Glibc
import TrackingAPI

struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Prints the HTTP interface as an OpenAPI 3.1 document.",
        discussion: "The same that a server has at /openapi.json; /docs shows it to be read.")

    func run() throws {
        let document = OpenAPIDocument.json(version: Version.text).encoded()
        Console.write(String(decoding: document, as: UTF8.self) + "\n", to: STDOUT_FILENO)
    }
}
