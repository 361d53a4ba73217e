/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps pages of what goes on up to date. Everything works without it, by loading the page again. */
"use strict";

(() => {
    /* A build: its part of the page is fetched again while it goes on. */
    function followBuild(part) {
        let wait = 2000;
        const again = async () => {
            if (document.hidden || part.contains(document.activeElement)) {
                setTimeout(again, wait);
                return;
            }
            try {
                const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
                const page = new DOMParser().parseFromString(await answer.text(), "text/html");
                const fresh = page.querySelector("#main > [data-state]");
                if (answer.ok && fresh) {
                    part.replaceChildren(...fresh.childNodes);
                    if (fresh.dataset.live !== "build")
                        return;
                }
                wait = 2000;
            } catch {
                wait = Math.min(wait * 2, 60000);
            }
            setTimeout(again, wait);
        };
        setTimeout(again, wait);
    }

    /* A log: lines come as server-sent events; the identifier is the offset behind them. */
    function followLog(part) {
        const log = part.querySelector("#log");
        const lines = log.querySelectorAll(".line");
        let number = lines.length ? parseInt(lines[lines.length - 1].firstChild.textContent, 10) : 0;
        let offset = parseInt(part.dataset.offset, 10);
        let place = lines.length ? lines[lines.length - 1].parentNode : log;
        let source = null;
        const encoder = new TextEncoder();

        const atEnd = () => window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;

        const openStep = (text) => {
            place = document.createElement("details");
            place.open = true;
            const summary = document.createElement("summary");
            summary.textContent = text.slice(0, -3);
            place.append(summary);
            log.append(place);
            const step = document.getElementById("step");
            if (step)
                step.textContent = text.slice(0, -3);
        };

        const addLine = (text) => {
            if (text.length <= 160 && /^[A-Za-z0-9].*\.\.\.$/.test(text))
                openStep(text);
            number += 1;
            const line = document.createElement("span");
            line.className = "line";
            line.id = "o" + offset;
            const link = document.createElement("a");
            link.href = "#" + line.id;
            link.textContent = number;
            link.setAttribute("aria-label", "Line " + number);
            line.append(link, " " + text + "\n");
            place.append(line);
            offset += encoder.encode(text).length + 1;
        };

        const open = () => {
            source = new EventSource(part.dataset.events + "?offset=" + part.dataset.offset);
            source.onmessage = (event) => {
                const follow = atEnd();
                event.data.split("\n").forEach(addLine);
                offset = parseInt(event.lastEventId, 10);
                part.dataset.offset = offset;
                if (follow)
                    window.scrollTo(0, document.body.scrollHeight);
            };
            source.addEventListener("end", (event) => {
                source.close();
                source = null;
                part.dataset.live = "";
                const state = document.querySelector(".facts .state");
                if (state) {
                    state.textContent = event.data;
                    state.className = "state " + (event.data === "done" ? "good" : event.data === "failed" ? "bad" : "idle");
                }
            });
        };

        /* Nobody looks: the connection is for others. */
        document.addEventListener("visibilitychange", () => {
            if (document.hidden && source) {
                source.close();
                source = null;
            } else if (!document.hidden && !source && part.dataset.live === "log")
                open();
        });
        if (!document.hidden)
            open();
    }

    for (const part of document.querySelectorAll("[data-live]"))
        if (part.dataset.live === "build")
            followBuild(part);
        else if (part.dataset.live === "log")
            followLog(part);
})();
