import Logging
import NIOCore

extension ClientConnection {
    /// Sends the request to its program, or asks the gate first.
    func send(_ app: AppExchange) {
        guard let pass = app.pass else { return ask(app) }
        guard let pool = loop.apps.pool(pass.port) else { return refuse(.noProgram) }
        connect(by: pool)
    }

    /// Nothing answers on the program's port.
    func missed(_ app: AppExchange) {
        if let port = app.pass?.port { loop.apps.forget(port) }
        refuse(.noProgram)
    }

    // MARK: - Gate

    private func ask(_ app: AppExchange) {
        guard let gate = door.gate else { return }
        // How long it takes is the gate's affair. Who does not want to wait goes away, which is noticed.
        deadline = .distantFuture
        let request = app.head.withUnsafeReadableBytes { AppRequest(head, $0, isTLS: isTLS) }
        let (eventLoop, asked) = (loop.eventLoop, NIOLoopBound((client: self, app: app), eventLoop: loop.eventLoop))
        gate.ask(request) { answer in
            eventLoop.execute { asked.value.client.take(answer, for: asked.value.app) }
        }
    }

    private func take(_ answer: AppAnswer, for app: AppExchange) {
        guard exchange === app else { return }
        switch answer {
        case .answer(let status, let headers, let body):
            self.answer(status: status, headers: headers.filter(Bytes.isHeader), body: body)
        case .pass(let pass):
            app.pass = pass
            app.head.withUnsafeReadableBytes { writeRequest($0, pass) }
            app.head = ByteBuffer()
            deadline = loop.coarseNow + door.timeout
            checkLater(app)
            loop.apps.watch(self)
            send(app)
        }
        resumeReading()
    }

    // MARK: - Stay

    /// Asks the gate again where it is time to.
    func checkStay() {
        guard let app = exchange?.app, let pass = app.pass, app.checkAt <= loop.coarseNow else { return }
        app.checkAt = .distantFuture
        let (eventLoop, asked) = (loop.eventLoop, NIOLoopBound((client: self, app: app), eventLoop: loop.eventLoop))
        door.gate?.ask(pass) { mayStay in
            eventLoop.execute {
                let (client, app) = asked.value
                guard client.exchange === app else { return }
                if mayStay { client.checkLater(app) } else { client.refuse(.accessEnded) }
            }
        }
    }

    private func checkLater(_ app: AppExchange) {
        app.checkAt = loop.coarseNow + (door.gate?.checkInterval ?? .zero)
    }

    // MARK: - Log

    /// As other listeners do, without the query, which may hold a secret.
    func logAccess(_ exchange: Exchange, status: Int) {
        let elapsed = NIODeadline.now() - exchange.started
        loop.core.logger.log(
            level: elapsed > .seconds(1) ? .notice : .debug,
            "\(String(decoding: method, as: UTF8.self)) \(String(decoding: target.prefix(pathLength), as: UTF8.self))",
            metadata: ["status": "\(status)", "time": "\(Double(elapsed.nanoseconds) / 1e9) seconds"])
    }
}
