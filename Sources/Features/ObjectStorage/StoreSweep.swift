import ServiceLifecycle
import Storage

/// Removes what killed uploads left in the object store: soon after the start, then once a day.
struct StoreSweep: Service {
    let store: DiskStore

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Not at once: the first second of a start belongs to whoever waits for it.
            var pause = Duration.seconds(30)
            while (try? await Task.sleep(for: pause)) != nil {
                // A disk that is full or failing shows in every upload too; the sweep has nothing to add to that.
                _ = try? await store.sweep()
                pause = .seconds(24 * 3600)
            }
        }
    }
}
