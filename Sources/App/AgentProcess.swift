import Agent
import Foundation

/// `takumi agent TASKFOLDER`: started by the engine, never by people.
enum AgentProcess {
    static func run(folder: String) async {
        do {
            try await Agent.run(folder: folder) { try StagerStaging($0) }
        } catch {
            // The engine quotes the last line of this where an agent ends without having recorded why.
            try? FileHandle.standardError.write(contentsOf: Data("\(error)\n".utf8))
            exit(1)
        }
    }
}
