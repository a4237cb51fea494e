import Engine
import Resource
import Testing

@Suite struct AdmissionTests {
    private func machine(cpus: Int = 4, memory: Int = 8192, gpus: Int = 0) -> Admission {
        Admission(capacity: Capacity(cpus: cpus, memoryMiB: memory, gpus: gpus))
    }

    private let small = Resources(cpus: 1, memoryMiB: 1024)

    @Test func admitsAGangWholeOrNotAtAll() {
        var admission = machine()
        admission.enqueue(id: "a", title: "a", priority: 0, tasks: [small, small, small])
        admission.enqueue(id: "b", title: "b", priority: 0, tasks: [small, small])
        #expect(admission.admit().map(\.id) == ["a"])
        #expect(admission.reason(id: "b") == "waiting for 2 vCPU: 'a' holds them")
        admission.release(id: "a")
        #expect(admission.admit().map(\.id) == ["b"])
        #expect(admission.reason(id: "b") == nil)
    }

    @Test func nothingOvertakesTheHead() {
        var admission = machine()
        admission.enqueue(id: "running", title: "running", priority: 0, tasks: [small, small])
        _ = admission.admit()
        admission.enqueue(id: "large", title: "large", priority: 0, tasks: [Resources(cpus: 4, memoryMiB: 1024)])
        admission.enqueue(id: "small", title: "small", priority: 0, tasks: [small])
        #expect(admission.admit().isEmpty)
        #expect(admission.reason(id: "small") == "waiting behind 'large', which came first")
    }

    @Test func saysWhetherMemoryIsShort() {
        var admission = machine()
        admission.enqueue(id: "a", title: "a", priority: 0, tasks: [Resources(cpus: 3, memoryMiB: 4096)])
        #expect(!admission.capacityWithUse.isShortOfMemory)
        _ = admission.admit()
        admission.enqueue(id: "b", title: "b", priority: 0, tasks: [Resources(cpus: 2, memoryMiB: 4096)])
        #expect(!admission.capacityWithUse.isShortOfMemory, "it waits for CPUs alone")
        admission.enqueue(id: "c", title: "c", priority: 1, tasks: [Resources(cpus: 1, memoryMiB: 4097)])
        #expect(admission.capacityWithUse.isShortOfMemory)
        admission.release(id: "c")
        #expect(!admission.capacityWithUse.isShortOfMemory)
    }

    @Test func higherPriorityGoesFirst() {
        var admission = machine(cpus: 1)
        admission.enqueue(id: "first", title: "first", priority: 0, tasks: [small])
        admission.enqueue(id: "urgent", title: "urgent", priority: 1, tasks: [small])
        #expect(admission.admit().map(\.id) == ["urgent"])
    }

    @Test func givesWholeGPUsAndGivesThemBack() {
        var admission = machine(gpus: 3)
        let task = Resources(cpus: 1, memoryMiB: 512, gpus: 1)
        admission.enqueue(id: "a", title: "a", priority: 0, tasks: [task, task])
        #expect(admission.admit().first?.gpus == [[0], [1]])
        admission.enqueue(id: "b", title: "b", priority: 0, tasks: [task])
        #expect(admission.admit().first?.gpus == [[2]])
        admission.release(id: "a")
        admission.enqueue(id: "c", title: "c", priority: 0, tasks: [task])
        #expect(admission.admit().first?.gpus == [[0]])
        #expect(admission.capacityWithUse.usedGPUs == [0, 2])
    }

    @Test func refusesWhatCanNeverFit() {
        let admission = machine()
        #expect(throws: TakumiError.self) { try admission.check([Resources(cpus: 1, memoryMiB: 9000)]) }
        #expect(throws: TakumiError.self) {
            try admission.check([Resources(cpus: 3, memoryMiB: 1), Resources(cpus: 2, memoryMiB: 1)])
        }
        let error = #expect(throws: TakumiError.self) {
            try admission.check([Resources(cpus: 1, memoryMiB: 1, gpus: 1)])
        }
        #expect(error?.field == "flavorId")
        #expect(error?.message.contains("no GPU") == true)
    }

    @Test func countsWhatARestartFound() {
        var admission = machine(cpus: 2)
        admission.restore(id: "old", title: "old", tasks: [small, small], gpus: [[], []])
        admission.enqueue(id: "new", title: "new", priority: 0, tasks: [small])
        #expect(admission.admit().isEmpty)
        admission.release(id: "old")
        #expect(admission.admit().map(\.id) == ["new"])
    }
}
