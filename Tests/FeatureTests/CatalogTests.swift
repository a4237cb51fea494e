import Catalog
import Foundation
import Testing

@Suite struct CatalogTests {
    private let catalog: Catalog

    init() throws { catalog = try Catalog() }

    @Test func hasTheImagesOfTheGuide() {
        let names = Set(catalog.images.map(\.name))
        for framework in ["Python", "PyTorch", "TensorFlow"] {
            for core in ["CPU", "GPU"] { #expect(names.contains("Ubuntu 22.04 \(core) \(framework) Notebook")) }
        }
        for framework in ["PyTorch", "TensorFlow"] {
            for core in ["CPU", "GPU"] { #expect(names.contains("Ubuntu 22.04 \(core) \(framework) Training")) }
        }
    }

    /// The SDK looks names up in the lists, so a second one of a name could never be used.
    @Test func namesAndIdsAreUnique() {
        #expect(Set(catalog.images.map(\.name)).count == catalog.images.count)
        #expect(Set(catalog.images.map(\.alias)).count == catalog.images.count)
        #expect(Set(catalog.images.map(\.id)).count == catalog.images.count)
        #expect(Set(catalog.flavors.map(\.name)).count == catalog.flavors.count)
        #expect(Set(catalog.flavors.map(\.id)).count == catalog.flavors.count)
        #expect(catalog.images.allSatisfy { UUID(uuidString: $0.id) != nil && $0.id == $0.id.lowercased() })
    }

    /// A published version never changes: its lock is the one whose digest was written down when it was published.
    @Test func locksAreTheOnesThatWerePublished() throws {
        let sums = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Catalog/locks/SHA256SUMS")
        let digests = Set(
            try String(contentsOf: sums, encoding: .utf8).split(separator: "\n").map { String($0.prefix(64)) })
        for image in catalog.images { #expect(digests.contains(image.digest), "\(image.name)") }
        #expect(digests.contains(catalog.tensorBoard.digest))
    }

    /// The lock is what runs, so what the list says must be in it.
    @Test func frameworkVersionsAreHonest() {
        for image in catalog.images {
            let lock = String(decoding: image.lock, as: UTF8.self)
            switch image.framework {
            case .pytorch:
                #expect(
                    lock.contains("torch==\(image.frameworkVersion)")
                        || lock.contains("torch===\(image.frameworkVersion)"))
            case .tensorflow:
                #expect(
                    lock.contains("tensorflow-cpu==\(image.frameworkVersion)")
                        || lock.contains("tensorflow==\(image.frameworkVersion)"))
            case .python: #expect(image.frameworkVersion == image.pythonVersion)
            }
        }
    }

    @Test(arguments: Catalog.Serving.allCases) func everyFrameworkIsServedInAnEnvironmentOfItsOwn(
        _ framework: Catalog.Serving
    ) throws {
        let catalog = try Catalog()
        for gpu in [false, true] {
            #expect(try catalog.serving(framework, gpu: gpu).name.hasPrefix(framework.rawValue), "gpu: \(gpu)")
        }
    }
}
