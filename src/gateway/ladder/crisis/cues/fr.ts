/**
 * French cues of danger. See `Cues` for how they are written.
 *
 * @module gateway/ladder/crisis/cues/fr
 */
import type { Cues } from '../cues.ts';

const KIN =
  '(?:mari|femme|epoux|epouse|conjointe?|compagnon|compagne|copain|copine|petit ami|petite amie|ami|amie|ex|fils|fille|enfant|bebe|frere|soeur|sœur|mere|maman|pere|papa|beau-pere|belle-mere|grand-mere|grand-pere|mamie|papi|oncle|tante|voisine?|collegue|coloc\\w*|eleve)';

const PERSON = `(?:kq|il|elle|quelqu'un|un homme|une femme|une personne|le bebe)`;
const SELF =
  "(?:me|m') ?(?:suicider|tuer|pendre|foutre en l'air|donner la mort|oter la vie|jeter (?:sous|par|du))";

export const FR: Cues = {
  kin: `(?:mon|ma|mes|notre|nos|un|une|son|sa) (?:\\w+ )?${KIN}`,
  not: [
    '(?:infarctus|avc)\\b[^.!?\\n]{0,20}\\b(?:il y a|en (?:19|20)\\d\\d)',
    '(?:mourir|mort|morte|meurs|creve|crever|tuer|tue) de (?:rire|faim|soif|honte|peur|chaud|froid|fatigue|ennui|jalousie|curiosite|chaleur|trac)',
    '(?:bug|code|chaleur|bruit|travail|projet|examen|mal de tete|attente|suspense|stress) (?:\\w+ )?me tue',
    '(?:chef|patron|patronne|mere|maman|pere|papa|prof|copine|copain|femme|mari|parents|coach) va me tuer (?:si|quand|parce|car)',
    "(?:bat|battu|battue|battait) (?:\\w+ )?(?:aux|au|a la|a l'|en|dans)\\b|frappe (?:a la porte|par|que)|me frappe,? c'est",
    "(?:roman|film|chanson|personnage|heros|heroine|livre|serie|poeme|jeu)[^.!?\\n]{0,40}\\b(?:dit|disait|chante|crie|pense|s'appelle|intitulee?)\\b[^.!?\\n]{0,80}",
    'suicide squad|suicide assiste|taux de suicide|comment (?:dit|traduit|ecrit)-on[^?\\n]{0,80}',
    "(?:failli|presque)~(?:crise cardiaque|infarctus|avc)|(?:crise cardiaque|infarctus) (?:en voyant|quand j'ai vu)",
    '(?:coupee?|blessee?|brulee?) (?:\\w+ )?(?:en (?:cuisinant|jardinant|courant|jouant|me rasant|bricolant)|le doigt|au doigt|avec)',
  ],
  selfHarm: [
    '\\b(?:comment|facon de|moyen de)\\b~\\bse (?:suicider|tuer|pendre|donner la mort)\\b(?! (?:a|dans|au) )',
    "\\bne (?:plus|pas) (?:jamais )?(?:me reveiller|exister|etre la|etre ne)|\\b(?:jamais|plus) me reveiller\\b|\\bvie (?:n'a|a) plus (?:de|aucun) sens\\b|\\bplus de sens a (?:ma|la) vie\\b|\\b(?:je suis|j'suis) un (?:poids|fardeau)\\b",
    "\\b(?:je|me)\\b~\\b(?:sauter|jeter|balancer)\\b~\\b(?:pont|toit|balcon|fenetre|train|metro|falaise)\\b|\\b(?:ouvert|taillade|coupe) les (?:veines|bras|poignets)\\b|\\bm'automutil\\w+|\\bautomutilation\\b~\\b(?:je|mon|recommence)\\b",
    '\\b(?:comprimes|medicaments|cachets|dose|poison)\\b~~\\b(?:pour (?:mourir|en finir|me tuer))\\b|\\bpersonne ne (?:me regretterait|remarquerait)',
    `\\bkq\\b~~\\b(?:se (?:pendre|jeter|tirer une balle|couper les veines)|lettre d'adieu|tentative de suicide)\\b`,
    `\\bje\\b~\\b(?:veux|voudrais|souhaite|vais|pense|songe|envie|prefere(?:rais)?)\\b~(?:mourir\\b|en finir\\b|${SELF}|plus (?:vivre|exister|etre la|me reveiller)|disparaitre pour toujours)`,
    `\\b(?:envie|idee|pensee?s?|besoin|decide)\\b~(?:de mourir\\b|d'en finir\\b|de ${SELF}|de mort\\b)(?! (?:les|chez|dans))`,
    "\\b(?:ne|n'ai|n')? ?(?:veux|ai|peux) (?:plus|pas) (?:envie de |la force de )?(?:vivre|exister|etre en vie|continuer a vivre)\\b(?! (?:a|en|dans|avec|chez|ici|sans)\\b)",
    `\\b${SELF}`,
    "\\b(?:j'ai|mes|des)\\b~\\b(?:idees|pensees) (?:suicidaires|noires)\\b|\\bje suis suicidaire\\b|\\btentative de suicide\\b~\\b(?:j'ai|ma)\\b|\\b(?:j'ai|ma)\\b~\\btentative de suicide\\b|\\bje\\b~\\b(?:pense|songe|envisage|pensais|tente|fait|planifie|prepare)\\b~\\bsuicide\\b(?! (?:des|chez))|\\bmon suicide\\b",
    "\\bje me (?:scarifie|mutile|coupe les|taillade)|\\bme (?:scarifier|mutiler)\\b|\\bm'ouvrir les veines\\b|\\bme (?:couper|taillader) les (?:veines|bras|poignets)\\b",
    "\\b(?:mieux|plus heureux) sans moi\\b|\\bsi j(?:e n')?etais (?:plus la|mort|morte)\\b|\\bplus (?:aucune )?raison de vivre\\b|\\blettre d'adieu\\b",
    "\\b(?:moyen|facon|methode|maniere)\\b~\\b(?:de mourir|de se (?:suicider|tuer)|d'en finir)\\b|\\bmourir sans (?:douleur|souffrir)\\b|\\bcombien de\\b~~\\b(?:pour mourir|mortelle?)\\b",
    `\\bkq\\b~~\\b(?:se (?:tuer|suicider|mutile|scarifie)|suicidaires?|mettre fin a ses jours|veut (?:mourir|en finir)|d'en finir)`,
    "\\bmettre fin a (?:mes jours|ma vie)\\b|\\bsauter d(?:'un|u) (?:pont|toit|balcon)\\b~(?:je|$)",
  ],
  violence: [
    `\\b(?:kq|il)\\b~\\bm'a (?:donne|mis|colle)\\b~\\b(?:gifles?|coups?|claques?|baffes?)\\b`,
    "\\b(?:beau-pere|pere|oncle|frere|grand-pere|prof|entraineur|papi|cousin)\\b~\\b(?:me touche|m'a touchee?|me force|m'a forcee?|abuse de moi|a abuse de moi)\\b|\\b(?:pousse|poussee|jetee|jete) (?:dans l'escalier|contre le mur|par terre)\\b",
    "\\bmenace\\b~\\b(?:poignarder|egorger|bruler|tuer|frapper)\\b|\\bpeur qu'il (?:me|nous)\\b|\\bme suit (?:partout|dans la rue|jusqu)",
    `\\b(?:kq|il|elle)\\b~\\b(?:me|m'|nous|l')(?: ?a)? ?(?:frappe|frappee?|bat|battue?|tape|gifle|giflee?|etrangle|etranglee?|viole|violee?|cogne|cognee?|menace|maltraite|agresse|agressee?)\\b(?! de (?:partir|divorcer))`,
    '\\b(?:menace|menacee?|dit|jure|promis|veut|essaye|essaie)\\b~\\b(?:de )?(?:me|nous) (?:tuer|frapper|faire du mal|poignarder|buter)\\b',
    '\\b(?:il|mari|copain|ex) (?:va|finira par) (?:me|nous) tuer\\b',
    `\\bpeur (?:de kq|de rentrer|pour ma vie|qu'il me)\\b`,
    "\\b(?:j'ai ete|je me suis fait|on m'a|je suis|il m'a) (?:\\w+ )?(?:violee?|agressee? sexuellement|violer|battue|tabassee?|sequestree?)\\b",
    '\\bviolences? conjugales?\\b~\\b(?:je|moi|mon)\\b|\\bje\\b~\\b(?:victime|subis)\\b~\\bviolences?\\b',
    "\\b(?:m'empeche de sortir|m'enferme|m'a enfermee?|me sequestre)\\b|\\b(?:il|mari|ex|pere)\\b~\\ba un (?:couteau|pistolet|fusil)\\b|\\bje me cache\\b~\\b(?:de lui|de mon)\\b",
    `\\b(?:frappe|bat|tape|viole) (?:ma (?:mere|soeur|sœur|fille)|mes enfants|les enfants|mon (?:frere|fils))\\b`,
  ],
  medical: [
    `\\b(?:ai|a)\\b~\\b(?:avale|pris|gobe)\\b~\\b(?:dix|quinze|vingt|trente|quarante|cinquante|\\d{2,}) (?:comprimes|cachets|pilules|doliprane|somniferes|medicaments)|\\b${PERSON}\\b~~\\b(?:tombee?|effondree?)\\b~~\\bne (?:repond|bouge|reagit|se reveille)\\b`,
    '\\b(?:je|il|elle|mal)\\b~\\bdu mal a respirer\\b|\\bne (?:peut|peux|arrive) plus (?:a )?(?:parler|bouger)\\b|\\bconvulsions?\\b~\\b(?:fait|il|elle)\\b|\\bfait (?:une crise|des convulsions)',
    "\\b(?:ai|a|vient d'|viens d')\\b~\\b(?:avaler?|avalee?|pris|prendre|ingere|gobe)\\b~\\b(?:toute?|tous|boite|plaquette|trop de|beaucoup de|poignee|\\d{2,})\\b~(?:somniferes|comprimes|medicaments|paracetamol|doliprane|cachets|pilules|antidepresseurs)",
    '\\b(?:bu|avale)\\b~\\b(?:javel|poison|antigel|deboucheur|pile bouton|pile|detergent|mort aux rats)\\b|\\b(?:fait|faire|en) (?:une )?overdose\\b|\\bsurdose\\b~\\b(?:pris|fait)\\b',
    `\\b(?:${PERSON}|je)\\b~\\b(?:ne |n')?(?:respire (?:plus|pas)|respire mal|arrive (?:plus|pas) a respirer|arrive plus a respirer|peux? (?:plus|pas) respirer|s'etouffe|etouffe)\\b`,
    `\\b${PERSON}\\b~~\\b(?:inconsciente?|evanouie?|ne (?:repond|reagit|se reveille) (?:plus|pas)|s'est effondree?|fait un malaise|devient bleue?)\\b`,
    '\\b(?:forte|violente|grosse|vive|terrible)s?\\b~(?:douleurs? (?:a|dans) la poitrine|douleurs? thoracique)|\\bdouleurs? (?:a|dans) la poitrine\\b~~(?:bras|souffle|respir|machoire)',
    `\\b(?:${PERSON}|je)\\b~\\b(?:fait|fais|faire)\\b~(?:(?:une|un) )(?:crise cardiaque|infarctus|avc|crise d'epilepsie)\\b`,
    "\\b(?:saigne (?:beaucoup|abondamment|enormement)|n'arrete pas de saigner|arreter le saignement|hemorragie)\\b(?! (?:interne )?(?:de|du) (?:budget|cash))",
    '\\b(?:bouche|visage)\\b~\\b(?:tordue?|paralysee?|de travers|affaissee?)\\b|\\bgorge (?:\\w+ )?(?:gonfle|se ferme)\\b|\\bchoc anaphylactique\\b~~(?:fait|aide|respir)',
  ],
};
