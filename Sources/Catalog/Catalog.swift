import CCatalog
import Crypto
import Foundation
import Resource
import Yams

/// The images and instance types that this binary offers, from the files of `Catalog/` that it carries.
package struct Catalog: Sendable {
    package let images: [Image]
    package let flavors: [Flavor]

    /// What TensorBoard runs in. No user's image, so it is in no list.
    package let tensorBoard: Tool

    /// Makes suggestions for tunings, and what it runs in: with PyTorch for Gaussian processes, which need it.
    package let samplerProgram: Program
    package let sampler: Tool
    package let gaussianSampler: Tool

    /// Keeps an image's interpreter warm.
    package let warmProgram: Program

    /// Loads a model and answers for it.
    package let workerProgram: ProgramFolder

    /// What runs inside a notebook: prepares its storage and becomes JupyterLab.
    package let notebookProgram: ProgramFolder
    private let servingTools: [String: Tool]

    /// What a model of a framework is served in.
    ///
    /// - Parameter gpu: a framework that has nothing of its own for GPUs is served by what it has for CPUs.
    /// - Throws: where the catalog lacks its lock: a mistake of the build.
    package func serving(_ framework: Serving, gpu: Bool) throws -> Tool {
        let names = [gpu ? "gpu" : "cpu", "cpu"].map { "\(framework.rawValue)-\($0)" }
        guard let tool = names.lazy.compactMap({ servingTools[$0] }).first else {
            throw TakumiError(.failed, "the catalog has no environment to serve \(framework.rawValue) in")
        }
        return tool
    }

    /// The frameworks that models are served in, by the names of their locks.
    package enum Serving: String, Sendable, CaseIterable {
        case sklearn = "sklearn-1.9.1"
        case pytorch = "pytorch-2.13.0"
        case tensorflow = "tensorflow-2.21.0"
        case huggingFace = "huggingface-5.24.0"
    }

    /// A Python program of several files.
    package struct ProgramFolder: Sendable {
        package var files: [String: Data]

        /// As `Program.place`.
        /// - Returns: the folder, which Python runs.
        package func place(home: String) throws -> String {
            let names = files.keys.sorted()
            let digest = names.reduce(into: Data()) { $0 += Data($1.utf8) + (files[$1] ?? Data()) }.sha256
            let folder = "\(home)/programs/\(digest.prefix(24))"
            guard !FileManager.default.fileExists(atPath: folder) else { return folder }
            // Beside, then renamed: never half of it.
            let temporary = "\(folder).\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
            for name in names {
                try files[name]?.write(to: URL(fileURLWithPath: "\(temporary)/\(name)"))
            }
            if rename(temporary, folder) != 0 { try FileManager.default.removeItem(atPath: temporary) }
            return folder
        }
    }

    /// What must be Python and is ours.
    package struct Program: Sendable {
        package var name: String
        package var source: Data

        /// Puts it where processes read it: one folder per content in the server's home, written once.
        /// - Returns: its path.
        package func place(home: String) throws -> String {
            let folder = "\(home)/programs/\(source.sha256.prefix(24))"
            let path = "\(folder)/\(name)"
            if !FileManager.default.fileExists(atPath: path) {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try source.write(to: URL(fileURLWithPath: path), options: .atomic)
            }
            return path
        }
    }

    /// A locked environment that the product itself uses.
    package struct Tool: Sendable {
        package var name: String
        package var pythonVersion: String
        package var lock: Data
        package var digest: String

        /// - Returns: the file of its packages, in the server's home.
        package func placeLock(home: String) throws -> String {
            try LockFile.place(lock, digest: digest, home: home)
        }
    }

    private let imagesByID: [String: Image]
    private let flavorsByID: [String: Flavor]

    /// - Throws: where a file is missing or does not have its form: a mistake of the build, not of the user.
    package init() throws {
        let files = Catalog.files()
        func file(_ name: String) throws -> Data {
            guard let data = files[name] else { throw TakumiError(.failed, "the catalog has no \(name)") }
            return data
        }
        images = try YAMLDecoder().decode(ImageFile.self, from: try file("images.yaml")).images.map { entry in
            entry.image(lock: try file("locks/\(entry.lock)"))
        }
        flavors = try YAMLDecoder().decode(FlavorFile.self, from: try file("flavors.yaml")).flavors
        func tool(_ name: String, _ lock: String) throws -> Tool {
            let lock = try file("locks/\(lock).txt")
            return Tool(name: name, pythonVersion: "3.11", lock: lock, digest: lock.sha256)
        }
        tensorBoard = try tool("TensorBoard", "tensorboard-2.21.0")
        sampler = try tool("Optuna", "optuna-5.0.0")
        gaussianSampler = try tool("Optuna with PyTorch", "optuna-gp-5.0.0-cpu")
        samplerProgram = Program(name: "sampler.py", source: try file("programs/sampler.py"))
        warmProgram = Program(name: "warm.py", source: try file("programs/warm.py"))
        func program(_ prefix: String) -> ProgramFolder {
            ProgramFolder(
                files: Dictionary(
                    uniqueKeysWithValues: files.filter { $0.key.hasPrefix(prefix) }.map {
                        (String($0.key.dropFirst(prefix.count)), $0.value)
                    }))
        }
        workerProgram = program("programs/serving/")
        notebookProgram = program("programs/notebook/")
        servingTools = try Dictionary(
            uniqueKeysWithValues: Serving.allCases.flatMap { framework in
                try ["cpu", "gpu"].compactMap { core in
                    let name = "\(framework.rawValue)-\(core)"
                    guard files["locks/serve-\(name).txt"] != nil else { return nil }
                    return (name, try tool("\(framework.rawValue) serving", "serve-\(name)"))
                }
            })
        imagesByID = Dictionary(uniqueKeysWithValues: images.map { ($0.id, $0) })
        flavorsByID = Dictionary(uniqueKeysWithValues: flavors.map { ($0.id, $0) })
    }

    package func image(id: String) -> Image? { imagesByID[id.lowercased()] }
    package func flavor(id: String) -> Flavor? { flavorsByID[id.lowercased()] }

    private static func files() -> [String: Data] {
        var files: [String: Data] = [:]
        var index: Int32 = 0
        while let file = takumi_catalog_file(index)?.pointee {
            files[String(cString: file.name)] = Data(bytes: file.data, count: Int(file.length))
            index += 1
        }
        return files
    }
}

private struct ImageFile: Decodable {
    struct Entry: Decodable {
        var id: String
        var name: String
        var alias: String
        var type: Image.ImageType
        var core: Image.Core
        var framework: Image.Framework
        var frameworkVersion: String
        var pythonVersion: String
        var description: String
        var address: String
        var lock: String
        var imports: [String]?
        var supportEnds: String
        var availabilityEnds: String

        func image(lock: Data) -> Image {
            Image(
                id: id, name: name, alias: alias, type: type, core: core, framework: framework,
                frameworkVersion: frameworkVersion, pythonVersion: pythonVersion, description: description,
                address: address,
                lock: lock, digest: lock.sha256, imports: imports ?? [],
                supportEnds: supportEnds, availabilityEnds: availabilityEnds)
        }
    }

    var images: [Entry]
}

private struct FlavorFile: Decodable {
    var flavors: [Flavor]
}

extension Data {
    var sha256: String { SHA256.hash(data: self).map { String(format: "%02x", $0) }.joined() }
}
