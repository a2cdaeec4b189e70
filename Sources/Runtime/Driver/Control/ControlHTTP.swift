import CSystem
import ConfigParser
import System

/// `[control] http`: three paths that can be read, and nothing else. One request for each connection.

extension Driver {
    /// The head of a request may be whole.
    func takeHead(_ client: ControlClient) {
        if client.head.isEmpty {
            if client.hasEnded { client.isClosing = true }
            return
        }
        if !control.takeRequest() { return }
        switch HTTPRequest.parse(client.head) {
        case .nothing:
            if client.hasEnded { client.isClosing = true }
        case .wrong(let status):
            refuse(client, status, isHead: false)
        case .request(let request):
            answer(client, request)
        }
        if client.isClosing || client.job != nil { client.head = [] }
    }

    private func answer(_ client: ControlClient, _ request: HTTPRequest) {
        let path = String(decoding: request.path, as: UTF8.self)
        guard has(["/metrics", "/health", "/ready"], path) else {
            return refuse(client, 404, isHead: request.isHead == true)
        }
        guard let isHead = request.isHead else { return refuse(client, 405, isHead: false) }
        if path == "/metrics" {
            let type =
                request.wantsPlain
                ? "text/plain; version=0.0.4; charset=utf-8"
                : "application/openmetrics-text; version=1.0.0; charset=utf-8"
            writeHead(client, 200, type)
            client.isClosing = isHead
            if !isHead { client.job = .metrics(MetricsJob(plain: request.wantsPlain, isHTTP: true)) }
            return
        }
        let text = path == "/health" ? whatIsNotWell() : whatIsNotReady()
        let body = text.isEmpty ? "ok\n" : text
        writeHead(client, text.isEmpty ? 200 : 503, "text/plain; charset=utf-8", length: body.utf8.count)
        if !isHead { client.output.append(Bytes(body.utf8)) }
        client.isClosing = true
    }

    private func refuse(_ client: ControlClient, _ status: Int, isHead: Bool) {
        let body = status == 404 ? "there are /metrics, /health and /ready\n" : ""
        writeHead(client, status, "text/plain; charset=utf-8", length: body.utf8.count)
        if !isHead { client.output.append(Bytes(body.utf8)) }
        client.isClosing = true
        // What it still sends would else be answered with a reset, which may overtake the answer.
        client.lingers = true
    }

    private func writeHead(_ client: ControlClient, _ status: Int, _ type: String, length: Int? = nil) {
        let reason: String
        switch status {
        case 200: reason = "OK"
        case 400: reason = "Bad Request"
        case 404: reason = "Not Found"
        case 405: reason = "Method Not Allowed\r\nAllow: GET, HEAD"
        case 431: reason = "Request Header Fields Too Large"
        default: reason = "Service Unavailable"
        }
        var text = say("HTTP/1.1 % %\r\nContent-Type: %\r\n", String(status), reason, type)
        if let length { text += say("Content-Length: %\r\n", String(length)) }
        client.output.append(Bytes((say("%Connection: close\r\nCache-Control: no-store\r\n\r\n", text)).utf8))
    }

    /// As `hermes-init health` says it; empty where all is well.
    private func whatIsNotWell() -> String {
        var text = ""
        for line in statusText().lines where !line.isWell { text += say("%: %\n", line.name, line.words) }
        return text
    }

    /// A line for each service that is not ready, of those that boot or were asked for.
    private func whatIsNotReady() -> String {
        var text = core.isStopping ? "the container is stopping\n" : ""
        for index in services.indices {
            let id = ServiceID(index: index)
            guard let report = report(of: id), core.graph.boots(id) || report.state != .idle else { continue }
            if report.isReady && report.problem == nil
                || report.isAsWanted && report.state.isDown && report.state != .idle
            {
                continue
            }
            text += say("%: %\n", services[index].name, statusWords(index, report))
        }
        return text
    }
}
