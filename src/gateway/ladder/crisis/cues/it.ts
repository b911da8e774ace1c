/**
 * Italian cues of danger. See `Cues` for how they are written.
 *
 * @module gateway/ladder/crisis/cues/it
 */
import type { Cues } from '../cues.ts';

const KIN =
  '(?:marito|moglie|compagn[oa]|partner|fidanzat[oa]|ragazz[oa]|amic[oa]|ex|figli[oa]|bambin[oa]|bimb[oa]|neonato|fratello|sorella|madre|mamma|padre|papa|patrigno|matrigna|nonn[oa]|zi[oa]|vicin[oa]|colleg[ah]\\w*|coinquilin[oa])';

const PERSON = `(?:kq|lui|lei|qualcuno|un uomo|una donna|una persona|il bambino|la bambina)`;
const SELF =
  '(?:morire|uccidermi|ammazzarmi|suicidarmi|togliermi la vita|farla finita|impiccarmi|buttarmi (?:da|giu|sotto)|sparire per sempre)\\b';

export const IT: Cues = {
  kin: `(?:mio|mia|nostr[oa]|il mio|la mia|un|una|suo|sua) (?:\\w+ )?${KIN}`,
  not: [
    '(?:infarto|ictus)\\b[^.!?\\n]{0,20}\\banni fa\\b',
    'mi (?:ammazzo|uccido|sto ammazzando) di (?!botte|pillole|farmaci)\\w+',
    "(?:morire|morendo|muoio|morto|morta|crepo|crepare) (?:dal|dalla|di|d')(?: ?)(?:ridere|risate|fame|sete|caldo|freddo|sonno|noia|vergogna|paura|curiosita|voglia|invidia|imbarazzo)",
    'mi (?:batte|batti|ha battut[oa]) (?:sempre |spesso )?(?:a|agli|al|alla|in|negli)\\b|batte il cuore|picchia (?:il sole|forte il sole)',
    '(?:capo|mamma|madre|padre|papa|prof\\w*|moglie|marito|ragazza|ragazzo|genitori|allenatore) (?:mi uccide|mi ammazza|mi uccidera) (?:se|quando|perche)|(?:caldo|bug|lavoro|stress|mal di testa|codice) mi (?:uccide|sta uccidendo)',
    '(?:romanzo|film|canzone|personaggio|eroe|protagonista|libro|serie|poesia|gioco)[^.!?\\n]{0,40}\\b(?:dice|diceva|canta|grida|pensa|si chiama|intitolat[oa])\\b[^.!?\\n]{0,80}',
    'suicide squad|tasso di suicidi|suicidio assistito|come si (?:dice|traduce|scrive)[^?\\n]{0,80}|(?:quasi|per poco)~(?:infarto|colpo)',
    'tagliat[oa] (?:i capelli|cucinando|il dito|con|mentre)|mi taglio i capelli',
  ],
  selfHarm: [
    '\\bnon ho (?:piu )?(?:voglia|motivo|motivi|ragione) (?:di|per) (?:vivere|andare avanti)\\b|\\bcome (?:suicidarsi|uccidersi|ci si uccide)\\b',
    '\\b(?:non|mai piu) (?:svegliarmi|risvegliarmi|esistere)(?: mai)?(?: piu)?\\b|\\b(?:vita|vivere) non ha (?:piu )?senso\\b|\\bnon ha (?:piu )?senso (?:vivere|la (?:mia )?vita)\\b|\\bsono un peso per\\b|\\bnessuno (?:sentirebbe la mia mancanza|mi rimpiangerebbe)\\b|\\bse (?:io )?(?:morissi|fossi mort[oa])\\b',
    '\\b(?:buttarmi|gettarmi|saltare|lanciarmi)\\b~\\b(?:ponte|balcone|tetto|finestra|treno|metro)\\b|\\b(?:pillole|pastiglie|dose|veleno|farmaci)\\b~~\\bper (?:morire|uccidermi|suicidarmi)\\b|\\bmi sono tagliat[oa] (?:le vene|le braccia|i polsi)\\b',
    `\\bkq\\b~~\\b(?:si vuole (?:uccidere|ammazzare|suicidare)|vuole (?:uccidersi|suicidarsi|farla finita|impiccarsi)|si fa del male|lettera d'addio)\\b`,
    `\\b(?:voglio|vorrei|desidero|penso|pensando|pensato|voglia|intenzione|deciso|preferirei|provato|sto per)\\b~${SELF}`,
    '\\bnon (?:voglio|riesco|ce la faccio|posso) (?:piu )?(?:a )?(?:vivere|esistere|svegliarmi|andare avanti cosi)(?: piu| cosi)*(?=[.,!?;\\n]|$| e| ma| perche)',
    '\\bmi (?:uccido|ammazzo|suicido|tolgo la vita|impicco|voglio (?:uccidere|ammazzare|suicidare))\\b',
    '\\b(?:pensier[oi]|idee|ideazione|istinti) (?:di )?(?:suicid[aio]|suicidio|di morte)\\b|\\b(?:penso|pensando|pensato) (?:\\w+ ){0,2}al suicidio\\b|\\bmio suicidio\\b|\\b(?:ho|mi)\\b~\\btentato il suicidio\\b',
    '\\bmi (?:taglio|ferisco|faccio del male)\\b~(?:bracci\\w*|polsi|gambe|vene|sera|giorno|sola|solo|sempre|da|$)|\\btagliarmi (?:le vene|le braccia|i polsi)\\b|\\bautolesionis\\w+\\b~\\b(?:io|mi|ho|sono)\\b|\\bpratico autolesionismo\\b',
    "\\b(?:meglio|piu felici) senza di me\\b|\\bse (?:io )?non ci fossi\\b|\\b(?:motivo|ragione|senso) (?:di|per|a) vivere\\b|\\blettera (?:di addio|d'addio)\\b",
    '\\b(?:modo|metodo|maniera)\\b~\\b(?:di morire|per morire|di suicidarsi|per suicidarmi|per uccidermi)\\b|\\bmorire senza (?:dolore|soffrire)\\b',
    `\\bkq\\b~~\\b(?:suicidarsi|uccidersi|ammazzarsi|togliersi la vita|farla finita|vuole morire|si taglia|pensieri suicidi)\\b`,
  ],
  violence: [
    `\\b(?:kq|lui)\\b~\\b(?:mi ha dat[oa]|mi da|mi ha tirat[oa]|mi tira)\\b~\\b(?:schiaff\\w+|pugn\\w+|calc\\w+|spint\\w+)\\b`,
    '\\bminaccia (?:di morte|di (?:picchiarmi|farmi del male))\\b|\\bmi minaccia\\b|\\b(?:patrigno|padre|zio|fratello|nonno|allenatore|prof\\w*)\\b~\\b(?:mi tocca|mi ha toccat[oa]|abusa di me|mi costringe)\\b|\\bmi ha (?:spint[oa] (?:giu|contro)|buttat[oa] a terra)\\b|\\babusa di me\\b',
    `\\b(?:kq|lui)\\b~\\b(?:mi|ci|mi ha|ci ha) ?(?:picchia|picchiat[oa]|mena|menat[oa]|colpisce|colpit[oa]|strangola|strangolat[oa]|violenta|violentat[oa]|stuprat[oa]|minaccia|minacciat[oa]|maltratta|prende a (?:pugni|calci|schiaffi)|pres[oa] a (?:pugni|calci|schiaffi)|schiaffeggiat[oa])\\b`,
    '\\b(?:minaccia\\w*|dice|detto|giurato|vuole|cerca)\\b~\\b(?:uccidermi|ammazzarmi|di (?:uccidermi|ammazzarmi)|che mi (?:uccide|ammazza|uccidera|ammazzera))\\b',
    `\\bpaura (?:di kq|di (?:lui|tornare a casa)|per la mia vita|che mi (?:uccida|ammazzi))\\b|\\bpaura del kq`,
    '\\b(?:sono stat[oa]|mi hanno|mi ha) (?:violentat[oa]|stuprat[oa]|picchiat[oa] a casa|abusat[oa]|aggredit[oa])\\b|\\bvittima di (?:violenza|abusi|maltrattamenti)\\b|\\bsubisco violenz\\w+\\b',
    '\\bnon mi (?:lascia|fa) uscire\\b|\\bmi (?:ha|tiene) (?:chius[oa]|rinchius[oa])\\b|\\b(?:lui|marito|ex|padre)\\b~\\bha (?:un coltello|una pistola)\\b',
    '\\b(?:picchia|mena|maltratta|violenta) (?:mia (?:madre|sorella|figlia)|mio (?:fratello|figlio)|i (?:miei figli|bambini)|la mamma)\\b',
  ],
  medical: [
    '\\b(?:faccio|fa) fatica a respirare\\b|\\b(?:ho|ha) preso (?:\\d{2,}|dieci|venti|trenta|quaranta) (?:pastiglie|pillole|compresse)\\b|\\bha le convulsioni\\b|\\b(?:non riesce piu a|improvvisamente non) (?:parlare|parla|muover\\w+)\\b',
    '\\b(?:ho|ha)\\b~\\b(?:preso|ingoiato|mandato giu|ingerito|inghiottito)\\b~\\b(?:inter[oa]|tutt[oaie]|scatola|troppe?|molte|flacone|blister|\\d{2,})\\b~(?:sonniferi|pastiglie|pillole|compresse|tachipirina|paracetamolo|medicine|farmaci)',
    '\\b(?:ha|ho)\\b~\\b(?:bevuto|ingoiato|ingerito)\\b~\\b(?:candeggina|veleno|detersivo|antigelo|pila|batteria)\\b|\\b(?:e|andat[oa]|sta andando|va) in overdose\\b',
    '\\bnon (?:respira|riesce a respirare|riesco a respirare|sta respirando)\\b(?! dal ridere| dalle risate)|\\bha smesso di respirare\\b',
    `\\b${PERSON}\\b~~\\b(?:incosciente|privo di sensi|priva di sensi|svenut[oa]|non (?:risponde|reagisce|si sveglia)|crollat[oa] a terra|sta diventando blu)\\b`,
    '\\b(?:forte|fortissimo|intenso|terribile)\\b~dolore al petto|\\bdolore (?:\\w+ )?al petto\\b~~(?:braccio|respir|mandibola|forte)',
    `\\b(?:${PERSON}|io|sto|sta)\\b~\\b(?:avendo|ha)\\b~(?:un |un')(?:infarto|ictus|attacco di cuore|attacco epilettico|convulsioni)\\b`,
    '\\b(?:perde (?:molto|tanto) sangue|sanguina (?:molto|tanto)|non smette di sanguinare|emorragia)\\b(?! di (?:dati|voti))',
    `\\b${PERSON}\\b~\\b(?:sta soffocando|soffoca)\\b|\\b(?:bocca|faccia|viso)\\b~\\b(?:stort[oa]|paralizzat[oa])\\b|\\bgola (?:mi )?si (?:chiude|gonfia|sta (?:chiudendo|gonfiando))\\b`,
  ],
};
