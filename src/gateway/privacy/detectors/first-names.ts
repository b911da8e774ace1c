/**
 * First names that are common in the languages Kith speaks to first, lower case, without accents. A list this short
 * finds many people and misses many: names near a cue are found without it.
 *
 * @module gateway/privacy/detectors/first-names
 */

const list = (names: string) => new Set(names.trim().split(/\s+/));

/** Names that are hardly ever another word. */
export const FIRST_NAMES: ReadonlySet<string> = list(`
  aaron abby abdul abdullah abigail abraham achim ada adam adela adelheid adriana adrien agata agnes agnieszka ahmad
  ahmed aicha aidan aisha aitana aitor ajay akira alan alba albert alberto aleksandr aleksandra alejandra alejandro
  alessandra alessandro alessio alexander alexandra alexandre alexandros alexis alfonso alfred alfredo ali alice alicia
  alina alison alistair allison alma alonso alvaro alyssa amalia amanda amandine amara amelia amelie amina amir amit amy
  ana anand anastasia anders andre andrea andreas andrei andres andrew andrzej andy anette angela angelica angelika
  angelina angus anil anita anja anjali anke anna annabel anne annegret anneke anneliese annette annika anouk ansgar
  anthony antje antoine anton antonella antonia antonio anya arjun armin arnaud arne arthur arturo arun asha ashley
  astrid asuncion aurelie aurora ava axel aylin ayse barbara barnaby bart bartosz bastian bastien beata beate beatrice
  beatriz begona belen benedict benedikt benjamin benoit bernadette bernard bernd bernhard bertha bertrand beth bethany
  betty beverly bianca birgit bjorn blanca bob boris brandon brenda brendan brian bridget brigitte britta bruce bruno
  bryan caitlin caleb cameron camila camille candice carina carl carla carlo carlos carmen carol carole carolin
  caroline carsten catalina caterina catherine cathy cecile cecilia cedric celia celine cesar chantal charles
  charlie chiara chidi chinedu chloe chris christa christelle christiane christina christine christoph christophe
  christopher claire clara clarissa claude claudia claudio claus clemens clement clementine colin connor conor
  consuelo cordula corinna cornelia craig cristian cristina cristobal curtis cynthia dagmar damian damien dan daniel
  daniela daniele danielle danuta daphne darius darren dave david deborah debra deepak deirdre delphine denise dennis
  derek desmond detlef devon diana diane diego dieter dietmar dietrich dimitri dirk dmitri dolores dominic dominik
  dominique donald donna dora doris dorothea dorothy doug douglas duncan dylan eamon eberhard eddie edgar edith
  eduardo edward edwin eileen ekaterina elaine eleanor elena eleonore eli elias elif elijah elisa elisabeth elise eliza
  elizabeth elke ella ellen ellie elsa elvira emanuel emeka emil emilia emilie emilio emily emma emmanuel encarnacion
  enrique eric erica erich erik erika ernesto erwin esmeralda esperanza esteban estefania estelle esther ethan etienne
  eugenia eugenio eva evelyn evgeny ewa fabian fabien fabienne fabio fabrice farah farid fatima fatma federico felicia
  felicitas felipe felix ferdinand fernanda fernando fiona flavia florent florian francesca francesco francine francis
  francisca francisco franck francois francoise franz franziska fred freddie frederic frederick frederike friedrich
  frieda fritz gabriel gabriela gabriele gabriella gareth gary gavin geoffrey george georgina georg georges gerald
  gerard gerardo gerd gerda gerhard gernot gertrud gesine ghislaine giacomo gianluca gianni gilles giorgio giovanna
  giovanni gisela giulia giuseppe gloria gonzalo gordon goran graham greg gregor gregory greta grzegorz gudrun
  guillaume guillermo gunnar gunther gustav gustavo hamza hannah hannelore hans harald harold harriet harry hassan
  hector heike heiko hein heiner heinrich heinz helen helena helene helga helmut hendrik henning henri henriette henry
  herbert hermann hilda hilde hiroshi holger horst howard hubert hugh hugo humberto hussein ian ibrahim ida ignacio igor
  ilona ilse imke imran inaki ines inga inge ingeborg ingo ingrid inmaculada irena irene irina iris irma isaac isabel
  isabella isabelle isidro ivan ivana ivo jackie jacob jacqueline jacques jaime jakob jakub jamal james jamie jan jana
  jane janet janice janine jannik jason javier jay jean jeanette jeanne jeff jeffrey jennifer jenny jens jeremy jerome
  jerry jesper jessica jill jim jimena jimmy joachim joan joanna joanne joaquin jochen joe joel joelle joerg johan
  johann johanna johannes john johnny jon jonas jonathan jorge jorg jose josef josefa josefina joseph josephine joshua
  juan juana juanita judith judy julia julian juliana julie julien juliette julio jurgen jurgen jutta kai kamal karen
  karim karin karl karla karolina karsten katarina katarzyna kate katharina katherine kathleen kathrin kathryn kathy
  katie katja katrin kavita kayla keith kelly kemal ken kenji kenneth kerstin kevin khaled kieran kiran kirsten kirsty
  klaus klara kofi konrad konstantin krishna kristen kristin kristina krzysztof kumar kurt kwame kyle lakshmi larissa
  larry lars latoya laura lauren laurence laurent laurie lea leah leandro leila lena lennart leo leon leonard leonardo
  leonie leonor leroy leslie leticia liam lidia lieke liesel linda lindsay lisa liselotte lorena lorenzo lothar lotte
  louis louisa louise luca lucas lucia lucie lucinda lucy ludovic ludwig luis luisa luise lukas luke lydia lynn maarten
  madeleine madison magali magda magdalena magnus mahmoud maike maja malte mandy manfred manon manuel manuela mara
  marc marcel marcela marcelo marcin marco marcos marcus mareike marek margaret margarete margarita margot maria
  mariam mariana marianne marie marieke mariella marina mario marion marisa marisol marjorie markus marlene marlies
  marta marten martha martin martina martine mary maryam massimo mateo mateusz mathias mathieu mathilde matteo matthew
  matthias matthieu matthijs maud maureen maurice mauricio maximilian megan mehmet mei melanie melissa mercedes
  meredith michael michal michel michele michelle miguel mike mikhail milan milena millie mina miranda miriam mirjam
  mohamed mohammed moira molly monika monica monique montserrat morgane moritz moses muhammad muriel mustafa nadia
  nadine nadja nancy naomi natalia natalie natasha nathalie nathan neha neil nele nelson niamh nicholas nick nicola
  nicolas nicole niels nigel nikhil niklas nikolai nikolaus nils nina noah noel noelia noemi nora norbert norma nuria
  octavio olaf oleg olga oliver olivia olivier omar oscar oskar otto owen pablo paloma pamela paola paolo pascal
  patricia patrick patrizia paul paula pauline paulina paulo pavel pedro peggy penelope peter petra phil philip philipp
  philippe phoebe pierre pilar piotr pippa poppy prakash priya quentin rachel raffaele rafael rahul rainer raj rajesh
  ralf ralph ramesh ramiro ramon ramona randy raphael raquel rashid raul ravi raymond rebecca regina reinhard reiner
  remy renate renaud rene ricardo riccardo richard rita robert roberta roberto rocio rodney rodolfo rodrigo roger rohan
  roland rolf roman romain ron ronald rosa rosalind rosalie rosario rosemary rosie ross roswitha rowan roxana roy ruben
  rudiger rudolf rufus rupert ruslan russell ruth ryan sabina sabine sabrina said saioa salma salvador sam samantha
  samir samuel sandeep sandra sandrine sanjay santiago sara sarah sascha sean sebastian sebastien selina serena serge
  sergei sergey sergio severine shannon sharon shaun sheila shirley siegfried sigrid silke silvia silvio simon simona
  simone sinead siobhan sofia soledad sonia sonja sophia sophie soren stacey stanislav stefan stefanie stefano steffen
  steffi stella stephan stephane stephanie stephen steve steven stuart sunil sunita susan susana susanna susanne suzanne
  sven svenja svetlana swen sybille sylvain sylvia sylvie tamara tania tanja tanya tara tatiana tatjana ted teresa
  terry thandiwe theo theodor theresa therese thibault thierry thijs thomas thorsten tiffany till tim timo timothy
  tina tobias todd tom tomas tomasz tommy tony torsten tracey tracy trevor ulrich ulrike umberto ursula ute uwe valentin
  valentina valeria valerie vanessa vera veronica veronika veronique vicente vicki victor vijay vikram viktor viktoria
  vincent vincenzo viola violeta virginie vivian vladimir volker walter waltraud wanda wendy werner wiebke wilfried
  wilhelm willem william winfried wladimir wojciech wolfgang xavier ximena yannick yasmin yolanda yuki yuri yusuf yvette
  yvonne zachary zainab zeynep zoe zofia`);

/** Names that are words, months, places or makers too: names only with a surname behind them, or after a cue. */
export const AMBIGUOUS_NAMES: ReadonlySet<string> = list(`
  amber angel april art august austin autumn basil bella bill brad brooke carmelo chad chase charlotte christian clay
  clark cliff cole consuelo crystal dale daisy dawn dean destiny don drew earl eden ernst faith felicity florence
  frank gene georgia ginger glen grace grant gray guy hank heather hope hunter india iris ivy jack jade jasmine jean
  jesus jewel jordan joy june justin kim lance lily lincoln logan luz madonna mark marina mason max may melody miles
  mercedes nadal olive opal pat patience paris pearl penny peg pierce porter prudence ray reed rich rob robin rock rod
  rose ruby rusty sage sally sandy scarlett skip sky sol stern stone summer sunny sydney taylor tiger van victoria
  viola virginia violet wade ward warren will winter wolf amor cruz linda mia nieves nina pilar rosario heidi heiner
  jo marlon mara lou luna mina roman ronja tori`);
