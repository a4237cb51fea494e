import Console
import Resource
import Store

/// An event as the timeline's template wants it.
package enum EventModel {
    package static func model(_ event: Event, resource: (name: String, href: String)?) -> [String: Any] {
        // Of a kind that may not be known here: by what all wire codes have in common.
        let isFailure = event.phase.contains("FAIL") || event.phase == "ACTIVE_UNHEALTHY"
        let isSettled =
            !event.phase.hasSuffix("PROGRESS") && !event.phase.hasSuffix("REQUESTED")
            && event.phase != "RUNNING"
        let tone = Tone(phase: event.phase, isFailure: isFailure, isSettled: isSettled, cause: nil)
        var model: [String: Any] = [
            "time": Cell.model(event.at), "tone": tone.rawValue, "message": event.message,
            "badge": Badge(PhaseName.displayed(event.phase), tone).model,
        ]
        if let resource { model["resource"] = ["name": resource.name, "href": resource.href] }
        return model
    }
}
