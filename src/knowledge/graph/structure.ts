/**
 * Names that are the structure of documents and say nothing of what they are about: "Usage", "Table of contents", "What is it? 🔗".
 *
 * @module knowledge/graph/structure
 */
import { normalForm } from './normal.ts';

const listed = (names: string): string[] => names.split(/[,\s]*\n\s*|,\s*/u).map(normalForm);

/** Headings and links of pages that are everywhere, in English, German, French and Spanish. */
const GENERIC: ReadonlySet<string> = new Set(
  listed(`usage, basic usage, advanced usage, license, licence, licensing, installation, install, installing, contributing, contributors,
    contribution, contributions, getting started, quick start, quickstart, overview, introduction, intro, about, summary, abstract,
    conclusion, conclusions, references, bibliography, see also, external links, further reading, notes, note, footnotes,
    table of contents, contents, toc, index, api, api reference, reference, documentation, docs, readme, example, examples, features,
    options, parameters, arguments, returns, return value, return values, description, synopsis, name, configuration, settings, setup,
    requirements, prerequisites, dependencies, changelog, change log, changes, release notes, releases, history, faq,
    frequently asked questions, questions, troubleshooting, support, contact, author, authors, credits, acknowledgements,
    acknowledgments, thanks, sponsors, backers, security, test, tests, testing, build, building, development, status, roadmap, todo,
    copyright, legal, disclaimer, background, methods, results, discussion, materials and methods, limitations, known issues, issues,
    tip, tips, warning, caution, important, info, more, more information, misc, miscellaneous, appendix, home, next, previous, prev, up,
    back, menu, navigation, search, login, sign in, sign up, skip to content, share, comments, related, edit, agenda, attendees,
    action items, next steps, top, browser support, compatibility, motivation, why, what, how, how it works, how to use, methods,
    properties, events, constructor, class, functions, types, syntax, command, commands, cli, performance, benchmark, benchmarks,
    downloads, weekly downloads, community, default, defaults, errors, guide, tutorial, resources, links, version, versions, method,
    key, keys, value, values, type, field, fields, code, codes, error code, error codes, meaning, means, allowed, flag, flags,
    environment, column, header, headers, yes, no, none, true, false, null, number, string, boolean, added, changed, removed, fixed,
    deprecated, error, level, row
    inhalt, inhaltsverzeichnis, einleitung, einführung, überblick, übersicht, zusammenfassung, fazit, literatur, literaturverzeichnis,
    quellen, einzelnachweise, weblinks, siehe auch, anmerkungen, hinweis, hinweise, verwendung, benutzung, nutzung, beispiel,
    beispiele, lizenz, mitwirken, mitarbeit, voraussetzungen, anforderungen, konfiguration, einstellungen, fragen, häufige fragen,
    kontakt, impressum, datenschutz, anhang, hintergrund, ergebnisse, diskussion, methoden, danksagung, autor, autoren, aufgaben,
    nächste schritte, teilnehmer, tagesordnung, startseite, weiter, zurück, suche, erste schritte
    sommaire, table des matières, utilisation, exemple, exemples, licence, contribuer, prérequis, voir aussi, liens externes, références,
    notes et références, bibliographie, annexe, annexes, résumé, remerciements, auteurs, historique, accueil, suivant, précédent,
    recherche, mentions légales, questions fréquentes, résultats, méthodes
    introducción, índice, contenido, uso, ejemplo, ejemplos, licencia, instalación, contribuir, requisitos, configuración,
    véase también, enlaces externos, referencias, bibliografía, notas, anexo, conclusión, conclusiones, resumen, agradecimientos, autores,
    historial, inicio, siguiente, anterior, buscar, contacto, aviso legal, preguntas frecuentes, resultados, métodos, discusión`),
);

const ASKS =
  /^(?:what|how|why|when|where|who|which|can|does|do|is|are|should|will|was|wie|warum|wieso|wann|wo|wer|welche[rsn]?|kann|ist|sind|soll|comment|pourquoi|quand|qu(?:e|oi|el|elle)|est ce|como|por que|cuando|donde|quien|cual)\b/u;
/** Words from which a heading that begins like a question is one. */
const LEAST_ASKED = 3;

/** By the words alone. @param form as names are compared */
export function isGeneric(form: string): boolean {
  return (
    GENERIC.has(form) ||
    /^(?:chapter|section|part|step|figure|table|kapitel|abschnitt|teil|schritt|abbildung|tabelle|chapitre|partie|capitulo|seccion|parte)(?: \w{1,4})?$/u.test(
      form,
    )
  );
}

/** Whether a heading is a question. @param written as it stands in documents */
export function isQuestionHeading(form: string, written: string): boolean {
  return ASKS.test(form) && (/[?？]/u.test(written) || form.split(' ').length >= LEAST_ASKED);
}

/** A name without marks of anchors, emoji and what markup leaves around it. */
export function cleanName(written: string): string {
  const clean = written
    .replace(
      /\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u{FE0F}|\u{200D}|\u{20E3}|[¶§]/gu,
      '',
    )
    .replace(/:[a-z_]{2,30}:/gu, '')
    .replace(/(?:\s*\[(?:edit|bearbeiten|modifier|editar)\])+\s*$/iu, '')
    .replace(/^[\s#*_`>|•–—-]+|[\s#*_`>|:•–—-]+$/gu, '')
    .replace(/\s+/gu, ' ');
  return clean === '' ? written : clean;
}
