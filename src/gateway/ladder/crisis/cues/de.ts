/**
 * German cues of danger. See `Cues` for how they are written.
 *
 * @module gateway/ladder/crisis/cues/de
 */
import type { Cues } from '../cues.ts';

const KIN =
  '(?:mann|frau|ehemann|ehefrau|partner(?:in)?|freund(?:in)?|ex|ex-\\w+|sohn|tochter|kind|baby|bruder|schwester|mutter|mama|vater|papa|stiefvater|stiefmutter|oma|opa|grossmutter|grossvater|onkel|tante|nachbar(?:in)?|mitbewohner(?:in)?|bekannte[rn]?|kumpel|enkel(?:in)?|neffe|nichte|cousine?|chef|kolleg(?:e|in)|schuler(?:in)?|mitschuler(?:in)?)';

const PERSON = `(?:kq|er|sie|jemand|eine? (?:mann|frau|person|junge|madchen)|das baby)`;

export const DE: Cues = {
  kin: `(?:mein|meine|meiner|meinem|meinen|unser|unsere|eine?) (?:\\w+ )?${KIN}`,
  not: [
    '(?:letztes jahr|vor (?:\\w+ )?jahren)[^.!?\\n]{0,20}(?:herzinfarkt|schlaganfall)',
    '(?:sterbe|sterben|tot|gestorben|umkommen) vor \\w+|(?:lache?|lachen|lacht|gelacht|arger[en]?|schufte[n]?|langweile) (?:mich|mir|sich) (?:fast |noch )?(?:tot|zu tode)|mich (?:totlachen|totgelacht)|zum totlachen',
    '(?:hitze|kalte|bug|fehler|stress|arbeit|larm|warten|spannung|langeweile|code|projekt|training|kopfweh|kopfschmerzen)~ bringt mich (?:noch |fast )?um|bringt mich (?:noch )?um den verstand',
    '(?:chef|chefin|mutter|mama|vater|papa|lehrer|lehrerin|frau|mann|freundin|freund|trainer|eltern)~(?:bringt|bringen) mich um,? (?:wenn|weil|falls)',
    '(?:schlagt|schlug|schlagen|geschlagen) (?:mich|uns) (?:\\w+ )?(?:beim|im|in|mit|um|zum|bei)\\b|schlagt (?:mir|uns|vor)|schlagt mich (?:immer|jedes mal)? ?(?:beim|im|in)|vorgeschlagen',
    'suicide squad|selbstmord(?:kommando|attentat\\w*|anschlag\\w*|rate|mission)|himmelfahrtskommando|suizidprävention|suizidrate',
    '(?:fast|beinahe|halben|halber|kleinen) (?:ein(?:en)? )?(?:herzinfarkt|herzkasper|schlaganfall)|herzinfarkt (?:gekriegt|bekommen),? als',
    '(?:beim|mit dem|in den|am) (?:kochen|rasieren|messer|finger|papier|basteln|schneiden)~(?:geschnitten|verletzt)|geschnitten,? (?:beim|als)',
    '(?:figur|held|heldin|roman|lied|song|film|buch|serie|gedicht|spiel|charakter)[^.!?\\n]{0,40}\\b(?:sagt|sagte|singt|heisst|ruft|schreit|denkt|namens)\\b[^.!?\\n]{0,80}',
    'wie (?:sagt|ubersetzt|schreibt) man[^?\\n]{0,80}|(?:server|rechner|computer|akku|motor|haut|stoff|jacke|material|leder|wand|holz) (?:\\w+ )?atm\\w*',
  ],
  selfHarm: [
    '\\b(?:bringt|brachte) sich (?:\\w+ ){0,3}um\\b|\\bsich (?:\\w+ ){0,2}(?:umbringen|das leben nehmen|umzubringen|umbringt)\\b(?! (?:im|in) (?:roman|film|buch|stuck))',
    '\\b(?:einfach |am liebsten |nie |nie wieder )?nicht mehr (?:aufwachen|aufzuwachen|existieren|am leben sein)\\b|\\bnie (?:mehr|wieder) aufwachen\\b|\\b(?:lieber|am liebsten) (?:\\w+ )?(?:tot|sterben)\\b',
    '\\b(?:arme?|unterarme?|handgelenke?|beine?|mich)\\b~\\b(?:aufgeschnitten|aufgeritzt|geritzt|selbst verletzt)\\b',
    '\\b(?:tabletten|pillen|medikamente|dosis|gift|schlaftabletten)\\b~~\\b(?:um zu sterben|zum sterben|mich umzubringen|umbringen|todlich)\\b',
    '\\b(?:schickt?e?|geschickt|geschrieben|schreibe|schreib)\\b~\\babschiedsbrief\\b|\\babschiedsbrief\\b~\\b(?:geschickt|geschrieben|an meine)\\b',
    '\\b(?:bin|falle) (?:\\w+ ){0,3}(?:nur )?(?:eine |zur )last\\b|\\b(?:niemand|keiner) wurde mich vermissen\\b|\\bleben (?:\\w+ )?(?:sinnlos|nicht mehr lebenswert|unertraglich)\\b|\\bwill nur noch sterben\\b',
    '\\bich\\b~\\b(?:will|mochte|wollte|wurde|mocht|wunschte|muss|darf|werde)\\b~\\b(?:sterben|tot sein|tot ware|nicht mehr aufwachen|nicht mehr existieren|nicht mehr da sein|alles beenden|mein leben beenden|mir das leben nehmen|mich (?:\\w+ ){0,2}(?:umbringen|toten|erhangen|erschiessen|vergiften|aufhangen))',
    '\\b(?:will|mochte|kann|wollte) (?:\\w+ )?nicht (?:mehr|langer) (?:weiter ?)?(?:leben|aufwachen|da sein|existieren|weitermachen)(?=[.,!?;\\n]|$| und| aber| weil)',
    '\\b(?:bringe?|brachte) (?:ich )?mich (?:\\w+ ){0,3}um\\b|\\bmich (?:\\w+ ){0,2}(?:umbringen|toten|erhangen|erschiessen)\\b|\\bvor (?:einen|den|die) (?:zug|bahn|lkw|s-bahn|u-bahn) (?:zu )?(?:werfen|springen|werfe|schmeissen)\\b|\\bmich umzubringen\\b',
    '\\b(?:denke?|dachte|plane|uberlege|erwage|begehe|begehen|gedacht|nachgedacht|versucht|gedanken)\\b~\\b(?:an|uber|zum|einen|von|den)? ?(?:selbstmord|suizid|freitod)(?!\\w)|\\b(?:selbstmord|suizid) (?:denke|gedacht|nachdenke|begehen|zu begehen)\\b(?! (?:viele|manche|die))|\\b(?:suizid|selbstmord)(?:gedanken|gefahrdet|absichten|plane)\\b(?! (?:in der|bei|im))',
    '\\bsuizidal\\b|\\b(?:mir|meinem) (?:\\w+ )?das leben (?:zu )?nehmen\\b|\\bmeinem leben ein ende\\b|\\bschluss machen mit (?:dem|meinem) leben|\\b(?:nimmt|nehme) mir das leben',
    '\\bich ritze?\\b~\\bmich\\b|\\britze? (?:ich )?mich\\b|\\bmich (?:zu )?(?:ritzen|selbst (?:zu )?verletzen)\\b|\\bverletze (?:ich )?mich selbst\\b|\\bschneide (?:ich )?mir (?:\\w+ ){0,2}(?:arme?|handgelenke?|pulsadern)',
    '\\b(?:ohne mich|wenn ich (?:nicht mehr (?:da|hier)|tot|weg) (?:ware|bin))~(?:besser|glucklicher)\\b|\\b(?:besser|leichter|glucklicher),? wenn ich (?:nicht mehr (?:da|hier|leben)|tot|weg|nie geboren)|\\bpulsadern\\b|\\bbesser (?:dran )?ohne mich\\b',
    '\\b(?:abschiedsbrief|schmerzlos\\w* (?:sterben|tod|methode)|schmerzfrei sterben)\\b(?! von (?:goethe|werther|van))',
    '\\bwie (?:viele?|viel)\\b~~\\b(?:um zu sterben|todlich|zum sterben)\\b|\\bwie kann ich (?:am besten )?sterben\\b',
    `\\bkq\\b~~\\b(?:sich (?:\\w+ ){0,2}(?:umbringen|umzubringen|toten|das leben nehmen|ritzt|erhangen)|ritzt sich|suizidal|sterben will|will (?:nicht mehr leben|sterben)|suizidgedanken|selbstmordgedanken)`,
    '\\bkeinen (?:sinn|grund) (?:mehr )?(?:im leben|zu leben|weiterzuleben)\\b|\\bvon (?:der|einer) brucke (?:zu )?springen\\b',
  ],
  violence: [
    `\\b(?:kq|er)\\b~\\b(?:hat mir|gibt mir|gab mir)\\b~\\b(?:ohrfeigen?|faust|schlage|tritte)\\b`,
    '\\b(?:stiefvater|vater|onkel|opa|bruder|trainer|lehrer|papa|cousin)\\b~\\b(?:fasst|fasste|beruhrt|zwingt)\\b~\\bmich\\b(?! zu (?:lernen|essen))|\\bmich\\b~\\b(?:angefasst|begrapscht|gezwungen mit)\\b',
    '\\bhat mich\\b~\\b(?:gestossen|hinuntergestossen|runtergestossen|an die wand|eingesperrt|verfolgt)\\b|\\bverfolgt mich\\b(?! (?:dieser|das|die|der) (?:gedanke|lied|song))',
    '\\bangst,? dass (?:er|sie|mein\\w* \\w+) (?:mich|uns|mir)\\b~\\b(?:umbringt|totet|schlagt|antut|etwas tut|was tut|verletzt)\\b',
    `\\b(?:kq|er)\\b~\\b(?:schlagt|verprugelt|prugelt|wurgt|tritt|misshandelt|missbraucht|vergewaltigt|bedroht|boxt|ohrfeigt)\\b~\\b(?:mich|uns|meine? (?:kinder|mutter|schwester|tochter)|die kinder)\\b`,
    `\\b(?:kq|er)\\b~\\bhat~\\b(?:mich|uns|mir)\\b~\\b(?:geschlagen|verprugelt|gewurgt|getreten|misshandelt|missbraucht|vergewaltigt|bedroht|geohrfeigt|ins gesicht)\\b`,
    '\\b(?:droht|drohte|gedroht|sagt|sagte|will|versucht|schwor)\\b~~\\b(?:mich|uns|meine kinder) (?:umzubringen|zu (?:toten|schlagen|verletzen)|umbringt|totet|umbringen|toten|abzustechen)\\b',
    '\\b(?:er|sie) bringt (?:mich|uns) (?:noch )?um\\b|\\bbringt mich um,? wenn ich (?:gehe|ihn verlasse|was sage)',
    `\\bangst (?:vor (?:ihm|kq)|nach hause|um mein leben|dass er mich)\\b`,
    '\\b(?:bin|wurde|werde) (?:\\w+ ){0,3}(?:vergewaltigt|sexuell (?:missbraucht|belastigt)|misshandelt|zu hause geschlagen|zuhause geschlagen)\\b|\\bhausliche gewalt\\b~\\b(?:ich|mir|mich)\\b|\\bich\\b~\\bhauslicher? gewalt\\b',
    '\\b(?:lasst mich nicht (?:mehr )?aus (?:dem|der)|sperrt mich (?:\\w+ )?ein|hat mich eingesperrt)\\b',
    '\\b(?:er|mann|freund|ex|vater|jemand)\\b~\\b(?:hat|steht|kommt|droht|mit) (?:mit )?(?:ein|einem|eine|einer) (?:messer|waffe|pistole)\\b|\\bverstecke mich (?:\\w+ ){0,3}vor (?:ihm|mein)',
  ],
  medical: [
    '\\b(?:druck|engegefuhl|schmerz\\w*|stechen)\\b~\\b(?:auf|in) der brust\\b|\\b(?:schlecht|kaum|schwer|keine) luft\\b',
    `\\b${PERSON}\\b~\\bkrampf(?:t|anfall)\\b|\\b(?:kann|konnte) plotzlich nicht mehr (?:sprechen|sehen|reden|gehen)\\b|\\b(?:habe|hat) (?:\\w+ )?\\d{2,} (?:\\w+ )?(?:tabletten|paracetamol|ibuprofen|pillen)\\b`,
    '\\b(?:habe?|hat)\\b~\\b(?:ganze?n?|alle|zu viele?|uberdosis|handvoll|viele|packung|schachtel|\\d{2,})\\b~(?:tabletten|schlaftabletten|schlafmittel|pillen|paracetamol|ibuprofen|medikamente|schmerzmittel)\\b~(?:genommen|geschluckt|eingenommen|gegessen)',
    '\\b(?:bleichmittel|reiniger|\\w*putzmittel|waschmittel|\\w*tabs?|\\w*reiniger|giftig\\w*|abflussreiniger|frostschutzmittel|gift|rattengift|knopfzelle|batterie|spulmittel)\\b~\\b(?:getrunken|verschluckt|geschluckt|gegessen)\\b|\\buberdosis\\b~\\b(?:genommen|ich|er|sie)\\b',
    `\\b(?:${PERSON}|ich)\\b~\\b(?:atmet (?:\\w+ )?(?:nicht|kaum)|bekomme? keine luft|bekommt keine luft|kriege? keine luft|kriegt keine luft|kann nicht (?:mehr )?atmen|hat aufgehort zu atmen)`,
    `\\b${PERSON}\\b~~\\b(?:bewusstlos|ohnmachtig geworden|zusammengebrochen|reagiert nicht(?: mehr)?(?! auf)|wacht nicht (?:mehr )?auf|nicht ansprechbar|lauft blau an|blau angelaufen)\\b`,
    '\\b(?:starke|heftige|stechende|plotzliche|schlimme)\\b~(?:brustschmerzen|schmerzen in der brust)|\\bbrustschmerzen\\b~~\\b(?:arm|atem|luft|kiefer)',
    `\\b(?:${PERSON}|ich)\\b~\\b(?:hat|habe|glaube)\\b~(?:(?:einen|gerade einen) )(?:herzinfarkt|schlaganfall|krampfanfall)\\b(?! (?:bekommen|gekriegt|gehabt),? als)`,
    '\\b(?:blutet (?:\\w+ )?(?:stark|sehr|heftig)|hort nicht auf zu bluten|blutung (?:\\w+ )?nicht stoppen|verblutet?)\\b',
    `\\b${PERSON}\\b~\\b(?:erstickt|verschluckt)\\b~(?:luft|blau|hilfe|atm\\w*|tun|$)|\\b${PERSON} erstickt\\b`,
    '\\bmundwinkel hang\\w*|\\bgesicht\\b~\\bgelahmt\\b|\\b(?:hals|rachen|kehle) (?:schwillt|schnurt sich) (?:\\w+ )?zu\\b|\\ballergischer? (?:schock|reaktion)\\b~~(?:luft|atm|hals)',
  ],
};
