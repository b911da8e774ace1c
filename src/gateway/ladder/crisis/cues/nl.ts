/**
 * Dutch cues of danger. See `Cues` for how they are written.
 *
 * @module gateway/ladder/crisis/cues/nl
 */
import type { Cues } from '../cues.ts';

const KIN =
  '(?:man|vrouw|echtgeno(?:ot|te)|partner|vriend(?:in)?|ex|zoon|zoontje|dochter|dochtertje|kind|baby|broer|broertje|zus|zusje|moeder|mama|ma|vader|papa|pa|stiefvader|stiefmoeder|oma|opa|oom|tante|buurman|buurvrouw|collega|huisgenoot|leerling)';

const PERSON = `(?:kq|hij|ze|zij|iemand|een (?:man|vrouw|persoon|jongen|meisje)|de baby)`;

export const NL: Cues = {
  kin: `(?:mijn|m'n|onze|ons|een|zijn|haar) (?:\\w+ )?${KIN}`,
  not: [
    '(?:jaren geleden|vorig jaar)[^.!?\\n]{0,20}(?:hartaanval|beroerte|hartinfarct)',
    '(?:lach|lachen|lachte|erger|verveel|werk|schrik|schrok) (?:ik )?(?:me|mij|mezelf) (?:nog |echt |helemaal )?(?:dood|kapot)|me (?:dood|kapot)(?:lachen|gelachen|schamen|geschrokken|vervelen)',
    '(?:sterf|sterven|dood|doodgaan|ga dood) (?:ik )?(?:van|aan) (?:de |het )?(?:honger|dorst|schaamte|lachen|kou|hitte|verveling|nieuwsgierigheid|warmte)|sterf van',
    '(?:baas|chef|moeder|mama|vader|papa|leraar|vriendin|vriend|vrouw|man|ouders|trainer) (?:vermoordt|maakt) (?:me|mij)(?: af)? (?:als|wanneer|omdat)|(?:hitte|bug|werk|stress|hoofdpijn|code)~ (?:wordt mijn dood|maakt me kapot)',
    '(?:slaat|sloeg) (?:me|mij|ons) (?:altijd |steeds )?(?:met|bij|in|over|aan|op de schouder)\\b|slaat (?:me|mij) (?:niet )?(?:aan|over)|verslaat',
    '(?:roman|film|lied|liedje|personage|held|heldin|boek|serie|gedicht|spel)[^.!?\\n]{0,40}\\b(?:zegt|zei|zingt|roept|denkt|heet|genaamd|getiteld)\\b[^.!?\\n]{0,80}',
    'suicide squad|zelfmoord(?:cijfers?|terrorist|aanslag|commando)|hoe (?:zeg|vertaal|schrijf) je[^?\\n]{0,80}|(?:bijna|zowat)~(?:hartaanval|hartverzakking)',
    "gesneden (?:tijdens|bij|met|aan)|in (?:mijn|m'n) vinger gesneden",
  ],
  selfHarm: [
    '\\bzie (?:ik )?(?:het|het leven) (?:\\w+ )?niet meer zitten\\b|\\bleven (?:heeft|is) (?:voor mij )?(?:geen zin|zinloos|niet meer waard)|\\b(?:ben|voel me) (?:alleen maar |iedereen )?(?:een|tot) last\\b|\\bniemand (?:zou|zal) me missen\\b|\\bnooit meer wakker worden\\b|\\bsnijd ik\\b~\\b(?:mezelf|arm)|\\bin mijn (?:arm|armen|polsen|benen) (?:gesneden|snijd|sneed)\\b',
    '\\b(?:pillen|dosis|gif|medicijnen)\\b~~\\bom (?:dood te gaan|te sterven)\\b|\\bhoe (?:kan ik|pleeg ik) (?:pijnloos |het beste )?(?:doodgaan|zelfmoord|sterven)',
    '\\bik\\b~\\b(?:wil|wou|wilde|ga|zou|wens|moet|denk|probeer)\\b~\\b(?:dood(?: ?gaan| zijn)?(?=[.,!?;\\n]|$| en| maar| want| omdat)|sterven|zelfmoord|mezelf (?:doden|ophangen|van kant|iets aandoen|wat aandoen|vermoorden)|er niet meer zijn|niet meer wakker worden|er een einde aan maken|een eind(?:e)? (?:aan|maken)|uit het leven stappen|mijn leven beeindigen)',
    '\\b(?:wil|kan|hoef|wou) (?:\\w+ )?niet (?:meer|langer) (?:leven|bestaan|verder|wakker worden)(?=[.,!?;\\n]|$| en| maar| want| omdat)',
    '\\bmaak (?:ik )?er (?:\\w+ )?een eind(?:e)? aan\\b|\\bmezelf (?:van kant maken|ophangen|doden|te doden|van het leven)\\b|\\bvan kant maken\\b',
    '\\b(?:ik|me|mij)\\b~\\b(?:denk|dacht|gedacht|plan|overweeg|pleeg|plegen|na)\\b~\\b(?:zelfmoord|suicide)(?!\\w)|\\bik~\\bzelfmoord (?:plegen|te plegen|gedacht|pleeg)\\b|\\bmijn zelfmoord\\b|\\b(?:zelfmoord|suicidale|zelfmoord)(?:gedachten|neigingen)\\b|\\bsuicidale? (?:gedachten|neigingen)\\b|\\bik ben suicidaal\\b|\\bdoodswens\\b',
    '\\b(?:snijd?|kras|verwond|sneed|beschadig) (?:ik )?(?:mezelf|mijzelf|in mijn (?:armen?|polsen?|benen?))\\b|\\bmezelf (?:te )?(?:snijden|verwonden|beschadigen|pijn doen|pijn te doen)\\b|\\bik doe aan zelfbeschadiging\\b',
    '\\bbeter af zonder mij\\b|\\bbeter zonder mij\\b|\\bals ik er niet (?:meer )?(?:was|ben)\\b|\\bgeen (?:reden|zin) (?:meer )?(?:om te leven|in (?:het )?leven)\\b|\\bafscheidsbrief\\b',
    '\\b(?:manier|methode)\\b~\\b(?:om (?:dood te gaan|te sterven|zelfmoord te plegen))\\b|\\bpijnloo?s (?:sterven|dood ?gaan|zelfmoord)|\\bhoeveel\\b~~\\b(?:om te sterven|dodelijk|om dood te gaan)\\b',
    `\\bkq\\b~~\\b(?:zelfmoord|zichzelf (?:iets aandoen|wat aandoen|doden|snijdt)|snijdt zichzelf|wil (?:dood|sterven|niet meer leven)|suicidaal|er een einde aan maken)\\b`,
    '\\bvan (?:de|een) (?:brug|flat|dak) (?:af )?(?:te )?springen\\b|\\bvoor (?:de|een) trein (?:te )?springen\\b',
  ],
  violence: [
    `\\b(?:kq|hij)\\b~\\b(?:gaf me|geeft me|heeft me|gaf mij)\\b~\\b(?:klap\\w*|stomp\\w*|schop\\w*)\\b`,
    '\\b(?:stiefvader|vader|oom|broer|opa|trainer|leraar|neef)\\b~\\b(?:zit aan me|raakt me aan|heeft me aangeraakt|betast|dwingt me)\\b|\\bvan de trap geduwd\\b|\\bduwt me\\b~\\b(?:trap|muur|grond)\\b|\\b(?:stalkt|achtervolgt) me\\b|\\bbang,? dat (?:hij|mijn \\w+) (?:me|mij|ons)\\b',
    `\\b(?:kq|hij)\\b~\\b(?:slaat|sloeg|schopt|schopte|mishandelt|wurgt|wurgde|bedreigt|bedreigde|verkracht|verkrachtte|misbruikt|stompt)\\b~\\b(?:mij|me|ons|mijn (?:kinderen|moeder|zus|dochter)|de kinderen)\\b`,
    `\\b(?:kq|hij)\\b~\\bheeft (?:mij|me|ons)\\b~\\b(?:geslagen|geschopt|mishandeld|gewurgd|bedreigd|verkracht|misbruikt|gestompt)\\b`,
    '\\b(?:dreigt|dreigde|gedreigd|zegt|zei|wil)\\b~~\\b(?:mij|me|ons) (?:te )?(?:vermoorden|vermoordt|dood te maken|dood te slaan|doden|af te maken|iets aan te doen)\\b|\\bhij gaat (?:me|mij) vermoorden\\b',
    `\\bbang (?:voor (?:kq|hem)|om naar huis|voor mijn leven|dat hij)\\b`,
    '\\b(?:ben|werd|word) (?:\\w+ ){0,3}(?:verkracht|aangerand|mishandeld|seksueel misbruikt|misbruikt)\\b|\\bslachtoffer van (?:huiselijk geweld|misbruik|mishandeling)\\b|\\bhuiselijk geweld\\b~\\b(?:ik|mij|me|thuis)\\b',
    '\\b(?:laat (?:me|mij) niet (?:weg|naar buiten|het huis uit)|sluit (?:me|mij) op|heeft (?:me|mij) opgesloten)\\b|\\b(?:hij|man|ex|vader)\\b~\\bheeft een (?:mes|pistool|wapen)\\b|\\bverstop (?:ik )?me\\b~\\bvoor (?:hem|mijn)\\b',
  ],
  medical: [
    '\\b(?:heb|heeft) (?:\\w+ )?(?:\\d{2,}|tien|twintig|dertig|veertig) (?:\\w+ )?(?:pillen|paracetamols?|tabletten|slaappillen)\\b|\\bkan plotseling niet meer (?:praten|zien|lopen)\\b|\\bheeft een (?:toeval|insult|epileptische)',
    '\\b(?:heb|heeft)\\b~\\b(?:hele|alle|doos|doosje|pot|te veel|teveel|strip|handvol|\\d{2,})\\b~(?:slaappillen|pillen|paracetamol|tabletten|medicijnen|pijnstillers)\\b~(?:genomen|ingenomen|geslikt|opgegeten)',
    '\\b(?:bleek|bleekmiddel|gif|antivries|ontstopper|knoopcelbatterij|batterij|wasmiddel)\\b~\\b(?:gedronken|ingeslikt|geslikt|opgegeten)\\b|\\boverdosis\\b~\\b(?:genomen|ik|hij|ze)\\b(?! chocola)',
    `\\b(?:${PERSON}|ik)\\b~\\b(?:ademt (?:\\w+ )?niet|ademt nauwelijks|krijg(?:t)? geen (?:lucht|adem)|kan niet (?:meer )?ademen|stopt met ademen|gestopt met ademen)\\b`,
    `\\b${PERSON}\\b~~\\b(?:bewusteloos|buiten bewustzijn|flauwgevallen|in elkaar gezakt|reageert niet(?: meer)?|wordt niet (?:meer )?wakker|loopt blauw aan)\\b`,
    '\\b(?:hevige|zware|erge|heftige|plotselinge)\\b~pijn op (?:de|mijn|zijn|haar) borst|\\bpijn op (?:de|mijn|zijn|haar) borst\\b~~(?:arm|adem|kaak)',
    `\\b(?:${PERSON}|ik)\\b~\\b(?:heeft|heb|krijgt|krijg)\\b~(?:een )(?:hartaanval|beroerte|hartinfarct|epileptische aanval)\\b`,
    '\\b(?:bloedt (?:\\w+ )?(?:hevig|erg|veel|heel)|stopt niet met bloeden|blijft bloeden|bloeding (?:\\w+ )?niet stoppen|bloedt dood)\\b',
    `\\b${PERSON}\\b~\\b(?:stikt|is aan het stikken|verslikt)\\b|\\bscheve mond\\b|\\bmond hangt scheef\\b|\\bkeel (?:zwelt|gaat dicht|zit dicht)\\b`,
  ],
};
