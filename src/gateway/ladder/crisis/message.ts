/**
 * A calm message with numbers to call, in place of an answer.
 *
 * @module gateway/ladder/crisis/message
 */
import { helpLabel } from '../explain/index.ts';
import type { Language, Locale } from '../locale.ts';
import type { Danger } from './cues.ts';
import { COUNTRIES_OF, type Helplines, helplinesOf } from './helplines.ts';

interface Words {
  readonly opening: Readonly<Record<Danger, string>>;
  readonly emergency: string;
  /** Before the lines to call. */
  readonly talk: Readonly<Record<Danger, string>>;
  readonly elsewhere: string;
  readonly unknown: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    opening: {
      selfHarm:
        'What you write sounds very hard. You do not have to get through this alone, and there are people who listen right now.',
      violence:
        'What you write sounds dangerous. It is not your fault, and there are people who help you to be safe.',
      medical:
        'This may be a medical emergency. Please do not wait for an answer here: call an ambulance now and do what the people on the phone say.',
    },
    emergency: 'If there is danger right now, call the emergency number',
    talk: {
      selfHarm: 'To talk to somebody:',
      violence: 'For help and advice:',
      medical: 'To talk to somebody, when pills or harm to oneself are part of it:',
    },
    elsewhere: 'Lines in other countries: findahelpline.com',
    unknown: 'Call your local emergency number; in many countries it is 112.',
  },
  de: {
    opening: {
      selfHarm:
        'Was Sie schreiben, klingt sehr schwer. Sie müssen da nicht allein durch, und es gibt Menschen, die jetzt zuhören.',
      violence:
        'Was Sie schreiben, klingt gefährlich. Sie sind nicht schuld daran, und es gibt Menschen, die Ihnen helfen, in Sicherheit zu kommen.',
      medical:
        'Das kann ein medizinischer Notfall sein. Bitte warten Sie hier nicht auf eine Antwort: Rufen Sie jetzt den Rettungsdienst und tun Sie, was man Ihnen am Telefon sagt.',
    },
    emergency: 'Bei Gefahr in diesem Moment rufen Sie den Notruf',
    talk: {
      selfHarm: 'Um mit jemandem zu sprechen:',
      violence: 'Für Hilfe und Rat:',
      medical: 'Um mit jemandem zu sprechen, wenn Tabletten oder Selbstverletzung im Spiel sind:',
    },
    elsewhere: 'Angebote in anderen Ländern: findahelpline.com',
    unknown: 'Rufen Sie den Notruf Ihres Landes; in vielen Ländern ist es die 112.',
  },
  fr: {
    opening: {
      selfHarm:
        "Ce que vous écrivez semble très dur. Vous n'avez pas à traverser cela sans aide, et des personnes sont là pour vous écouter maintenant.",
      violence:
        "Ce que vous écrivez semble dangereux. Ce n'est pas votre faute, et des personnes peuvent vous aider à vous mettre à l'abri.",
      medical:
        "C'est peut-être une urgence médicale. N'attendez pas de réponse ici : appelez les secours maintenant et faites ce qu'ils vous disent au téléphone.",
    },
    emergency: "En cas de danger immédiat, appelez le numéro d'urgence",
    talk: {
      selfHarm: "Pour parler à quelqu'un :",
      violence: "Pour de l'aide et des conseils :",
      medical: "Pour parler à quelqu'un, s'il s'agit de médicaments ou d'automutilation :",
    },
    elsewhere: "Lignes d'écoute dans d'autres pays : findahelpline.com",
    unknown: "Appelez le numéro d'urgence de votre pays ; dans beaucoup de pays, c'est le 112.",
  },
  es: {
    opening: {
      selfHarm:
        'Lo que escribe suena muy duro. No tiene que pasar por esto sin ayuda, y hay personas que escuchan ahora mismo.',
      violence:
        'Lo que escribe suena peligroso. No es culpa suya, y hay personas que le ayudan a ponerse a salvo.',
      medical:
        'Puede ser una emergencia médica. No espere una respuesta aquí: llame ahora a una ambulancia y haga lo que le digan por teléfono.',
    },
    emergency: 'Si hay peligro en este momento, llame al número de emergencias',
    talk: {
      selfHarm: 'Para hablar con alguien:',
      violence: 'Para recibir ayuda y consejo:',
      medical: 'Para hablar con alguien, si hay pastillas o autolesiones de por medio:',
    },
    elsewhere: 'Líneas de ayuda en otros países: findahelpline.com',
    unknown: 'Llame al número de emergencias de su país; en muchos países es el 112.',
  },
  it: {
    opening: {
      selfHarm:
        'Quello che scrive sembra molto difficile. Non deve affrontarlo senza aiuto, e ci sono persone che ascoltano proprio ora.',
      violence:
        'Quello che scrive sembra pericoloso. Non è colpa sua, e ci sono persone che aiutano a mettersi al sicuro.',
      medical:
        "Può essere un'emergenza medica. Non aspetti una risposta qui: chiami subito un'ambulanza e faccia quello che le dicono al telefono.",
    },
    emergency: "Se c'è pericolo in questo momento, chiami il numero di emergenza",
    talk: {
      selfHarm: 'Per parlare con qualcuno:',
      violence: 'Per aiuto e consigli:',
      medical: "Per parlare con qualcuno, se c'entrano farmaci o autolesionismo:",
    },
    elsewhere: 'Linee di aiuto in altri paesi: findahelpline.com',
    unknown: 'Chiami il numero di emergenza del suo paese; in molti paesi è il 112.',
  },
  pt: {
    opening: {
      selfHarm:
        'O que escreve parece muito difícil. Não tem de passar por isto sem ajuda, e há pessoas que ouvem agora mesmo.',
      violence:
        'O que escreve parece perigoso. A culpa não é sua, e há pessoas que ajudam a ficar em segurança.',
      medical:
        'Pode ser uma emergência médica. Não espere por uma resposta aqui: chame agora uma ambulância e faça o que lhe disserem ao telefone.',
    },
    emergency: 'Se há perigo neste momento, ligue para o número de emergência',
    talk: {
      selfHarm: 'Para falar com alguém:',
      violence: 'Para ajuda e conselhos:',
      medical: 'Para falar com alguém, se houver comprimidos ou automutilação:',
    },
    elsewhere: 'Linhas de apoio noutros países: findahelpline.com',
    unknown: 'Ligue para o número de emergência do seu país; em muitos países é o 112.',
  },
  nl: {
    opening: {
      selfHarm:
        'Wat u schrijft klinkt heel zwaar. U hoeft hier niet zonder hulp doorheen, en er zijn mensen die nu luisteren.',
      violence:
        'Wat u schrijft klinkt gevaarlijk. Het is niet uw schuld, en er zijn mensen die u helpen veilig te zijn.',
      medical:
        'Dit kan een medisch noodgeval zijn. Wacht hier niet op een antwoord: bel nu een ambulance en doe wat ze aan de telefoon zeggen.',
    },
    emergency: 'Is er op dit moment gevaar, bel dan het noodnummer',
    talk: {
      selfHarm: 'Om met iemand te praten:',
      violence: 'Voor hulp en advies:',
      medical: 'Om met iemand te praten, als pillen of zelfbeschadiging een rol spelen:',
    },
    elsewhere: 'Hulplijnen in andere landen: findahelpline.com',
    unknown: 'Bel het noodnummer van uw land; in veel landen is dat 112.',
  },
};

/**
 * The message in the language of the locale, or of the cue where the locale names none. Numbers are those of the locale's
 * region; without a region those of the countries where the language is spoken, each under its country's name.
 */
export function crisisMessage(danger: Danger, locale: Locale, cueLanguage: Language): string {
  const language = locale.language ?? cueLanguage;
  const words = WORDS[language];
  const lines = [helpLabel(language), '', words.opening[danger], ''];
  const own = locale.region === null ? null : helplinesOf(locale.region);
  if (own !== null) {
    lines.push(`${words.emergency}: ${own.emergency}`, words.talk[danger], ...linesOf(own, danger));
  } else if (locale.region !== null) lines.push(words.unknown);
  else {
    const names = new Intl.DisplayNames([language], { type: 'region' });
    lines.push(words.unknown, words.talk[danger]);
    for (const region of COUNTRIES_OF[language]) {
      const known = helplinesOf(region)!;
      const numbers = linesOf(known, danger).map((text) => text.slice(2));
      lines.push(`- ${names.of(region) ?? region} (${known.emergency}): ${numbers.join('; ')}`);
    }
  }
  return [...lines, '', words.elsewhere].join('\n');
}

function linesOf(helplines: Helplines, danger: Danger): string[] {
  const listed = danger === 'violence' ? helplines.violence : helplines.selfHarm;
  return listed.map(({ name, number }) => `- ${name === number ? number : `${name}: ${number}`}`);
}
