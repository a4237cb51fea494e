import Foundation
import Resource
import ServingKit
import Testing

@testable import EndpointsFeature

/// What users write of a pod's share of an instance.
@Suite struct StageResourceBodyTests {
    private let room = Allotment(cpus: 2, memoryMiB: 4096)

    private func allotment(_ option: String) throws -> Allotment {
        let body = try JSONDecoder().decode(
            StageResourceBody.self, from: Data(#"{"resourceOptionDetail": \#(option)}"#.utf8))
        return try body.allotment(room: room, share: room, "")
    }

    @Test(arguments: [
        (#"{"cpu":"500m","memory":"1Gi"}"#, 0.5, 1024), (#"{"cpu":"50%","memory":"25%"}"#, 1, 1024),
        (#"{"cpu":1,"memory":"2097152"}"#, 1, 2), (#"{"cpu":"1m","memory":"1Mi"}"#, 0.001, 1),
    ])
    func isReadAsItIsMeant(_ option: String, _ cpus: Double, _ memory: Int) throws {
        #expect(try allotment(option) == Allotment(cpus: cpus, memoryMiB: memory))
    }

    @Test(arguments: [("1", 1), ("2.0", 2), ("50%", 2), ("75 %", 3), ("100%", 4), ("0", 0)])
    func gpusArePartsOfAnInstanceToo(_ text: String, _ gpus: Int) throws {
        let room = Allotment(cpus: 2, memoryMiB: 4096, gpus: 4)
        let body = try JSONDecoder().decode(
            StageResourceBody.self, from: Data(#"{"resourceOptionDetail": {"gpu": "\#(text)"}}"#.utf8))
        #expect(try body.allotment(room: room, share: room, "").gpus == gpus)
    }

    @Test(arguments: ["0.5", "30%", "110%", "-1", "x%", "-25%"]) func noPartsOfGPUs(_ text: String) throws {
        let room = Allotment(cpus: 2, memoryMiB: 4096, gpus: 4)
        let body = try JSONDecoder().decode(
            StageResourceBody.self, from: Data(#"{"resourceOptionDetail": {"gpu": "\#(text)"}}"#.utf8))
        let error = #expect(throws: ValidationErrors.self) { _ = try body.allotment(room: room, share: room, "") }
        #expect(error?.errors.first?.field == "resourceOptionDetail.gpu")
        #expect(error?.errors.first?.message.contains("an instance has 4") == true)
    }

    /// No number ends the server: each is refused with its field, and with what was sent or what there is.
    @Test(arguments: [
        ("cpu", "nan%"), ("cpu", "inf%"), ("cpu", "1e300"), ("cpu", "1e308%"), ("cpu", "infinity"), ("cpu", "1e-300"),
        ("cpu", "-1"), ("memory", "1e30Gi"), ("memory", "1e30%"), ("memory", "nan%"), ("memory", "inf%"),
        ("memory", "nanGi"), ("memory", "-1Gi"), ("memory", "1e308Ti"), ("memory", "9000000000000Gi"), ("memory", "1"),
        ("gpu", "nan"), ("gpu", "1e300"),
    ])
    func numbersThatNobodyHasAreRefused(_ name: String, _ text: String) throws {
        let error = #expect(throws: ValidationErrors.self) { _ = try allotment(#"{"\#(name)":"\#(text)"}"#) }
        let first = try #require(error?.errors.first)
        #expect(first.field?.hasPrefix("resourceOptionDetail") == true)
        #expect(first.message.contains(text) || first.message.contains("really offers 2 vCPU"), "\(first.message)")
    }
}
