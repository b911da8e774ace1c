/**
 * Texts of the Germanic languages.
 *
 * @module gateway/ladder/explain/texts-germanic
 */
import type { Texts } from './texts.ts';

export const EN: Texts = {
  unanswered: 'Kith: this is not an answer of a model. No model could answer your question.',
  found:
    "Kith: this is not an answer of a model. No model could answer; the search adapter '{source}' found this:",
  help: 'Kith: this is not an answer of a model.',
  remedy: 'What you can do:',
  wait: 'It may work again in about {seconds} seconds.',
  code: 'Code:',
  reasons: {
    unreachable: [
      'No backend could be reached.',
      'Try again later. The owner of this node can check its backends with `kith status` and `kith doctor`, and the network.',
    ],
    late: ['No backend answered in time.', 'Try again, with a shorter question or a longer time limit.'],
    busy: ['The backends are busy or limit how often they are asked.', 'Wait a moment and try again.'],
    privacy: [
      'The privacy level of this request allows none of the backends that are there.',
      'Use a model on this machine, or, if the content permits it, ask with a lower privacy level.',
    ],
    region: [
      'No backend lies in a region in which this request may be answered.',
      'Allow another region, or add a backend in one of the allowed ones.',
    ],
    budget: [
      'The budget for this is spent.',
      'Use a model on this machine, wait for the next period, or raise the budget.',
    ],
    access: [
      'A provider does not accept the credentials or the account of this node.',
      'The owner of this node can check the key and the credit with the provider.',
    ],
    capability: [
      'No backend that is there can do what the request asks for.',
      'Ask without it (tools, pictures, a fixed form), or choose another model.',
    ],
    length: [
      'The conversation is too long for every backend that is there.',
      'Shorten it or begin a new one.',
    ],
    filtered: [
      'The provider of the model refused the content of this request.',
      'Put it in other words. Kith does not take such a request to another backend behind your back.',
    ],
    model: [
      'No backend has the model that was asked for.',
      'Choose one of the models that `kith models list` shows.',
    ],
    failed: [
      'All backends that were asked failed.',
      'Try again later. The owner of this node finds the causes with `kith logs` and `kith doctor`.',
    ],
  },
};

export const DE: Texts = {
  unanswered: 'Kith: Dies ist keine Antwort eines Modells. Kein Modell konnte die Frage beantworten.',
  found:
    'Kith: Dies ist keine Antwort eines Modells. Kein Modell konnte antworten; der Suchadapter „{source}“ hat dies gefunden:',
  help: 'Kith: Dies ist keine Antwort eines Modells.',
  remedy: 'Was Sie tun können:',
  wait: 'In etwa {seconds} Sekunden kann es wieder gehen.',
  code: 'Code:',
  reasons: {
    unreachable: [
      'Kein Backend war erreichbar.',
      'Versuchen Sie es später noch einmal. Wer diesen Knoten betreibt, kann die Backends mit `kith status` und `kith doctor` prüfen, und das Netz.',
    ],
    late: [
      'Kein Backend hat rechtzeitig geantwortet.',
      'Versuchen Sie es noch einmal, mit einer kürzeren Frage oder einer längeren Frist.',
    ],
    busy: [
      'Die Backends sind ausgelastet oder begrenzen, wie oft sie gefragt werden.',
      'Warten Sie einen Moment und versuchen Sie es noch einmal.',
    ],
    privacy: [
      'Die Datenschutzstufe dieser Anfrage lässt keines der vorhandenen Backends zu.',
      'Nehmen Sie ein Modell auf diesem Rechner oder, wenn der Inhalt es erlaubt, eine niedrigere Stufe.',
    ],
    region: [
      'Kein Backend liegt in einer Region, in der diese Anfrage beantwortet werden darf.',
      'Lassen Sie eine weitere Region zu oder richten Sie ein Backend in einer erlaubten ein.',
    ],
    budget: [
      'Das Budget dafür ist aufgebraucht.',
      'Nehmen Sie ein Modell auf diesem Rechner, warten Sie auf den nächsten Zeitraum oder erhöhen Sie das Budget.',
    ],
    access: [
      'Ein Anbieter nimmt den Schlüssel oder das Konto dieses Knotens nicht an.',
      'Wer diesen Knoten betreibt, kann Schlüssel und Guthaben beim Anbieter prüfen.',
    ],
    capability: [
      'Kein vorhandenes Backend kann, was die Anfrage verlangt.',
      'Fragen Sie ohne das (Werkzeuge, Bilder, feste Form) oder wählen Sie ein anderes Modell.',
    ],
    length: [
      'Das Gespräch ist für jedes vorhandene Backend zu lang.',
      'Kürzen Sie es oder beginnen Sie ein neues.',
    ],
    filtered: [
      'Der Anbieter des Modells hat den Inhalt dieser Anfrage abgelehnt.',
      'Formulieren Sie sie anders. Kith reicht eine solche Anfrage nicht hinter Ihrem Rücken an ein anderes Backend weiter.',
    ],
    model: [
      'Kein Backend hat das verlangte Modell.',
      'Wählen Sie eines der Modelle, die `kith models list` zeigt.',
    ],
    failed: [
      'Alle gefragten Backends sind gescheitert.',
      'Versuchen Sie es später noch einmal. Wer diesen Knoten betreibt, findet die Ursachen mit `kith logs` und `kith doctor`.',
    ],
  },
};

export const NL: Texts = {
  unanswered: 'Kith: dit is geen antwoord van een model. Geen model kon de vraag beantwoorden.',
  found:
    "Kith: dit is geen antwoord van een model. Geen model kon antwoorden; de zoekadapter '{source}' vond dit:",
  help: 'Kith: dit is geen antwoord van een model.',
  remedy: 'Wat u kunt doen:',
  wait: 'Over ongeveer {seconds} seconden kan het weer werken.',
  code: 'Code:',
  reasons: {
    unreachable: [
      'Geen backend was bereikbaar.',
      'Probeer het later opnieuw. De eigenaar van deze node kan de backends nagaan met `kith status` en `kith doctor`, en het netwerk.',
    ],
    late: [
      'Geen backend antwoordde op tijd.',
      'Probeer het opnieuw, met een kortere vraag of een langere tijdslimiet.',
    ],
    busy: [
      'De backends zijn bezet of begrenzen hoe vaak ze worden gevraagd.',
      'Wacht even en probeer het opnieuw.',
    ],
    privacy: [
      'Het privacyniveau van dit verzoek laat geen van de aanwezige backends toe.',
      'Gebruik een model op deze machine of, als de inhoud het toelaat, een lager niveau.',
    ],
    region: [
      'Geen backend staat in een regio waarin dit verzoek mag worden beantwoord.',
      'Sta een andere regio toe, of voeg een backend toe in een toegestane.',
    ],
    budget: [
      'Het budget hiervoor is op.',
      'Gebruik een model op deze machine, wacht op de volgende periode of verhoog het budget.',
    ],
    access: [
      'Een aanbieder aanvaardt de sleutel of het account van deze node niet.',
      'De eigenaar van deze node kan sleutel en tegoed bij de aanbieder nagaan.',
    ],
    capability: [
      'Geen aanwezige backend kan wat het verzoek vraagt.',
      'Vraag het zonder (hulpmiddelen, afbeeldingen, vaste vorm) of kies een ander model.',
    ],
    length: ['Het gesprek is te lang voor alle aanwezige backends.', 'Kort het in of begin een nieuw.'],
    filtered: [
      'De aanbieder van het model weigerde de inhoud van dit verzoek.',
      'Zeg het met andere woorden. Kith brengt zo een verzoek niet achter uw rug naar een andere backend.',
    ],
    model: [
      'Geen backend heeft het gevraagde model.',
      'Kies een van de modellen die `kith models list` toont.',
    ],
    failed: [
      'Alle gevraagde backends faalden.',
      'Probeer het later opnieuw. De eigenaar van deze node vindt de oorzaken met `kith logs` en `kith doctor`.',
    ],
  },
};
