/* What every page of the centre runs. Everything here is comfort: without it pages still show and forms still work. */

import { tellUnplayable } from "./clips.js";
import { playFilms } from "./film.js";
import { follow } from "./live.js";
import { keepMoments } from "./moments.js";
import { offerPrinting } from "./printing.js";

follow(document.querySelector("[data-feed]"));
keepMoments();
tellUnplayable();
offerPrinting();
playFilms();

/* Every request htmx makes for a form carries the same hidden token as the form itself; nothing to add here.
   A refused move (403, 409 …) answers with a page part that says why, and htmx 4 shows it like any other answer. */
